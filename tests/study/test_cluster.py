"""The files for SLURM and Kubernetes fit each other, the commands they hold, and this package."""

import importlib.util
import re
import shlex
import subprocess
import sys
import types
from pathlib import Path
from typing import ClassVar

import pytest
import yaml

from actlab.study import __main__ as command
from actlab.study import store

FOLDER = Path(__file__).parents[2] / "cluster"
KUBERNETES = (FOLDER / "kubernetes.yaml").read_text("utf-8")
GRID = FOLDER / "trial.toml"


@pytest.fixture(autouse=True)
def results(monkeypatch):
    monkeypatch.setattr(store, "RESULTS", store.RESULTS)  # --grid moves it


def test_the_grid_can_be_run(capsys):
    assert command.main(["grand_trial", "--grid", str(GRID), "--progress"]) == 0
    assert capsys.readouterr().out.startswith("my_trial: 0 of 18 cells done")


# --- Kubernetes -----------------------------------------------------------------------------------


def containers(thing):
    pod = thing["spec"]["template"]["spec"]
    return [*pod.get("initContainers", ()), *pod["containers"]]


def problems(text):
    """What in these objects does not fit together."""
    things = {(t["kind"], t["metadata"]["name"]): t for t in yaml.safe_load_all(text)}
    found = []
    services = {name: t["spec"] for (kind, name), t in things.items() if kind == "Service"}
    claims = {name for kind, name in things if kind == "PersistentVolumeClaim"}
    labels, images, scheduler = [], set(), []
    for (kind, name), thing in things.items():
        if kind not in ("Deployment", "Job"):
            continue
        template = thing["spec"]["template"]
        labels.append(template["metadata"]["labels"])
        if kind == "Deployment" and thing["spec"]["selector"]["matchLabels"] != labels[-1]:
            found.append(f"{name} does not select its own pods")
        if kind == "Job" and template["spec"].get("restartPolicy") != "OnFailure":
            found.append(f"{name} is not started again")
        volumes = {v["name"]: v for v in template["spec"].get("volumes", ())}
        for volume in volumes.values():
            claim = volume.get("persistentVolumeClaim", {}).get("claimName")
            if claim and claim not in claims:
                found.append(f"{name}: nobody claims {claim}")
        for container in containers(thing):
            images.add(container["image"])
            words = [*container["command"], *container.get("args", ())]
            scheduler += [word for word in words if word.startswith("tcp://")]
            mounts = {m["name"]: m["mountPath"] for m in container.get("volumeMounts", ())}
            found += [f"{name}: no volume {m}" for m in mounts if m not in volumes]
            for word in words:
                if word.startswith("/") and not word.startswith(tuple(mounts.values())):
                    found.append(f"{name}: {word} lies on no volume")
            found += told(words)
    for name, service in services.items():
        if service["selector"] not in labels:
            found.append(f"the service {name} finds no pod")
        ports = {c["containerPort"] for t in things.values() if t["kind"] == "Deployment"
                 for box in containers(t) for c in box.get("ports", ())}  # fmt: skip
        found += [f"{name}: no port {p['targetPort']}" for p in service["ports"]
                  if p["targetPort"] not in ports]  # fmt: skip
    known = {f"tcp://{name}:{p['port']}" for name, s in services.items() for p in s["ports"]}
    found += [f"nobody answers at {address}" for address in scheduler if address not in known]
    if len(images) != 1:
        found.append("more than one image")
    return found


def told(words):
    """What is wrong with a command, as the programs themselves see it."""
    if words[:3] == ["python", "-m", "actlab.study"]:
        asked = [str(GRID) if word.endswith(".toml") else word for word in words[3:]]
        at = asked.index("--scheduler")
        del asked[at : at + 2]
        try:
            failed = command.main([*asked, "--progress"])
        except SystemExit:
            failed = 2
        return ["the study's command is refused"] if failed else []
    if words[0] == "dask":
        from distributed.cli import dask_scheduler, dask_worker

        program = {"scheduler": dask_scheduler, "worker": dask_worker}.get(words[1])
        options = {o for p in program.main.params for o in p.opts} if program else set()
        odd = [word for word in words[2:] if word.startswith("--") and word not in options]
        return [f"dask {words[1]} has no {' '.join(odd)}"] if odd or not program else []
    return [] if words[0] == "cp" else [f"what is {words[0]}?"]


def test_kubernetes_objects_fit_together(capsys):
    pytest.importorskip("distributed")
    assert problems(KUBERNETES) == []


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("matchLabels: {app: worker}", "matchLabels: {app: workers}", "select its own"),
        ("selector: {app: scheduler}", "selector: {app: schedule}", "finds no pod"),
        ("targetPort: 8786", "targetPort: 8787", "no port 8787"),
        ('worker, "tcp://scheduler:8786"', 'worker, "tcp://schedule:8786"', "nobody answers"),
        ("--nthreads", "--threads", "dask worker has no --threads"),
        ("[dask, scheduler,", "[dask, schedule,", "dask schedule has no"),
        ("claimName: results", "claimName: result", "nobody claims"),
        ("- {name: grid, mountPath: /grid}", "- {name: grit, mountPath: /grid}", "no volume grit"),
        ("/results/trial.toml, --sch", "/result/trial.toml, --sch", "lies on no volume"),
        ("[grand_trial,", "[grand_trail,", "command is refused"),
        ("args: [grand_trial, --grid", "args: [grand_trial, --grit", "command is refused"),
        ("restartPolicy: OnFailure", "restartPolicy: Never", "not started again"),
        ("image: REGISTRY/actlab-worker:1", "image: REGISTRY/actlab-worker:2", "one image"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_seen(old, new, problem, capsys):
    pytest.importorskip("distributed")
    assert old in KUBERNETES
    assert any(problem in found for found in problems(KUBERNETES.replace(old, new, 1)))


def test_the_image_holds_what_the_pods_run():
    text = (FOLDER / "Dockerfile").read_text("utf-8")
    for line in re.findall(r"^COPY (.+)$", text, re.MULTILINE):
        *sources, _ = line.split()
        assert all((FOLDER.parent / name).exists() for name in sources)
    assert "dask[distributed]" in text
    tag = re.search(r"--tag (\S+)", text)[1]
    assert KUBERNETES.count(f"image: {tag}\n") == 4
    assert re.search(r"^USER (?!root)", text, re.MULTILINE)


# --- SLURM ----------------------------------------------------------------------------------------


def load_slurm(monkeypatch, cluster=None):
    """The program; with a stand-in for SLURM's own cluster where one is given."""
    if cluster is not None:
        stub = types.ModuleType("dask_jobqueue")
        stub.SLURMCluster = cluster
        monkeypatch.setitem(sys.modules, "dask_jobqueue", stub)
    spec = importlib.util.spec_from_file_location("slurm_of_the_course", FOLDER / "slurm.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Standing:
    """In the place of a SLURM cluster: notes what it is asked."""

    asked: ClassVar[list] = []
    scheduler_address = "tcp://127.0.0.1:9"

    def __init__(self, **job):
        self.asked[:] = [job]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.asked.append("closed")

    def scale(self, jobs):
        self.asked.append(jobs)

    def job_script(self):
        return "#!/bin/bash"


def test_slurm_jobs_are_asked_for_and_the_study_gets_their_scheduler(monkeypatch):
    module = load_slurm(monkeypatch, Standing)
    told = []
    monkeypatch.setattr(module, "main", lambda words: told.append(words) or 0)
    assert module.run(["grand_trial", "--grid", "trial.toml", "--jobs", "3"]) == 0
    assert told == [["grand_trial", "--grid", "trial.toml", "--scheduler", "tcp://127.0.0.1:9"]]
    assert Standing.asked == [module.JOB, 3, "closed"]
    assert module.JOB["cores"] == module.JOB["processes"] == 1


def test_to_show_asks_for_no_job(monkeypatch, capsys):
    module = load_slurm(monkeypatch, Standing)
    assert module.run(["--show"]) == 0
    assert capsys.readouterr().out == "#!/bin/bash\n"
    assert Standing.asked == [module.JOB, "closed"]


def test_the_job_file_is_one_that_slurm_takes(monkeypatch, tmp_path):
    """Where dask-jobqueue is installed: what it makes of our settings, read as bash reads it."""
    pytest.importorskip("dask_jobqueue")
    module = load_slurm(monkeypatch)
    with module.SLURMCluster(**module.JOB, scheduler_options={"dashboard_address": None}) as made:
        text = made.job_script()
    file = tmp_path / "job.sh"
    file.write_text(text)
    subprocess.run(["bash", "-n", str(file)], check=True)
    said = re.findall(r"^#SBATCH (.+)$", text, re.MULTILINE)
    assert {"-n 1", "--cpus-per-task=1", "--mem=3G", "-t 02:00:00"} <= set(said)
    *before, last = text.strip().splitlines()
    assert "export OMP_NUM_THREADS=1" in before
    words = shlex.split(last)
    assert words[:2] == [sys.executable, "-m"]
    assert words[words.index("--nthreads") + 1] == "1"
