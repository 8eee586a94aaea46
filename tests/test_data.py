import gzip
import hashlib
import http.server
import os
import random
import threading
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest

from actlab import data
from actlab.data import DataError

SMALL = ("digits", "breast_cancer", "wine", "election", "marriages", "mnist1d")
SIZES = {
    "digits": (1079, 359, 359, 64, 10),
    "breast_cancer": (341, 114, 114, 30, 2),
    "wine": (106, 36, 36, 13, 3),
    "election": (566, 189, 189, 9, 2),
    "marriages": (3820, 1273, 1273, 8, 2),
    "mnist1d": (3000, 1000, 1000, 40, 10),
    "fashion_mnist": (50_000, 10_000, 10_000, 784, 10),
}


def parts(d):
    return ((d.x_train, d.y_train), (d.x_valid, d.y_valid), (d.x_test, d.y_test))


def same(a, b):
    return all(
        np.array_equal(p, q)
        for left, right in zip(parts(a), parts(b), strict=True)
        for p, q in zip(left, right, strict=True)
    )


@pytest.fixture(scope="module")
def real_fashion_mnist():
    if not data.available("fashion_mnist"):
        missing = pytest.fail if os.environ.get("CI") else pytest.skip
        missing("Fashion-MNIST is not on this machine." + data.THREE_WAYS)
    return data.load("fashion_mnist")


# --- What is loaded -----------------------------------------------------------------------------


def check_contract(d):
    *sizes, n_features, n_classes = SIZES[d.name]
    assert [len(x) for x, _ in parts(d)] == [len(y) for _, y in parts(d)] == sizes
    for x, y in parts(d):
        assert x.dtype == np.float32
        assert y.dtype == np.int64
        assert x.shape[1] == d.n_features == n_features
        assert np.isfinite(x).all()
        assert set(np.unique(y)) == set(range(n_classes))
    assert d.n_classes == n_classes
    if d.image_shape:
        assert np.prod(d.image_shape) == n_features
    assert d.describe() in repr(d)
    assert f"{sizes[0]:,} training" in d.describe()
    assert str(Path.home()) not in d.describe()


@pytest.mark.parametrize("name", SMALL)
def test_the_contract(name):
    check_contract(data.load(name))


def test_every_data_set_is_tested():
    assert set(data.names()) == set(SIZES)


def test_the_contract_on_fashion_mnist(real_fashion_mnist):
    check_contract(real_fashion_mnist)
    # The published test set has 1,000 of each class, the stratified parts equal shares too.
    for _, y in parts(real_fashion_mnist):
        assert len(set(np.bincount(y))) == 1
    assert real_fashion_mnist.x_train.std() == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("name", ["digits", "breast_cancer", "wine"])
def test_no_example_is_in_two_parts_and_none_is_lost(name):
    d = data.load(name, scale=None)
    together = np.concatenate([np.column_stack(part) for part in parts(d)])
    from sklearn import datasets

    bunch = getattr(datasets, f"load_{name}")()
    whole = np.column_stack([bunch.data.astype(np.float32), bunch.target])

    def order(rows):
        return rows[np.lexsort(rows.T)]

    np.testing.assert_array_equal(order(together), order(whole))


@pytest.mark.parametrize("name", SMALL)
def test_the_split_keeps_the_shares_of_the_classes(name):
    d = data.load(name, seed=5)
    drawn = [y for _, y in parts(d)][: 2 if name == "mnist1d" else 3]  # its test set is given
    everything = np.concatenate(drawn)
    for y in drawn:
        expected = np.bincount(everything) / len(everything) * len(y)
        assert np.abs(np.bincount(y) - expected).max() < 2


# --- Seeds --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SMALL)
def test_the_seed_decides_the_split(name):
    first = data.load(name, seed=3)
    assert same(first, data.load(name, seed=3))
    assert not np.array_equal(first.y_train, data.load(name, seed=4).y_train)


def test_a_published_test_set_is_the_same_for_every_seed():
    one, two = (data.load("mnist1d", seed=seed, scale=None) for seed in (0, 1))
    np.testing.assert_array_equal(one.x_test, two.x_test)
    assert not np.array_equal(one.x_train, two.x_train)


def test_mnist1d_is_the_published_set_and_leaves_the_global_generators_alone():
    from mnist1d.data import get_dataset_args, make_dataset

    published = make_dataset(get_dataset_args())
    data._mnist1d.cache_clear()
    np.random.seed(7)  # noqa: NPY002
    random.seed(7)
    expected = np.random.RandomState(7).rand(), random.Random(7).random()
    d = data.load("mnist1d", scale=None)
    assert (np.random.rand(), random.random()) == expected  # noqa: NPY002
    np.testing.assert_array_equal(d.x_test, published["x_test"].astype(np.float32))
    np.testing.assert_array_equal(d.y_test, published["y_test"])


def test_changing_an_array_does_not_change_the_next_load():
    d = data.load("mnist1d")
    before = data.load("mnist1d")
    for array in (a for part in parts(d) for a in part):
        array.fill(1)
    assert same(before, data.load("mnist1d"))


# --- Scale and size -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["breast_cancer", "wine", "election", "marriages"])
def test_features_in_different_units_are_standardised_one_by_one(name):
    d = data.load(name)
    np.testing.assert_allclose(d.x_train.mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(d.x_train.std(0), 1, atol=1e-5)


@pytest.mark.parametrize("name", ["digits", "mnist1d"])
def test_pixels_and_signals_share_one_mean_and_one_spread(name):
    raw, d = data.load(name, scale=None), data.load(name)
    mean, std = raw.x_train.mean(dtype=np.float64), raw.x_train.std(dtype=np.float64)
    for (x, _), (x_raw, _) in zip(parts(d), parts(raw), strict=True):
        np.testing.assert_allclose(x, (x_raw - mean) / std, atol=2e-6)


def test_unit_and_symmetric_scale():
    unit, symmetric = data.load("digits", scale="unit"), data.load("digits", scale="symmetric")
    assert (unit.x_train.min(), unit.x_train.max()) == (0, 1)
    np.testing.assert_allclose(symmetric.x_test, 2 * unit.x_test - 1, atol=1e-6)
    wine = data.load("wine", scale="symmetric")
    np.testing.assert_allclose(wine.x_train.min(0), -1, atol=1e-6)
    np.testing.assert_allclose(wine.x_train.max(0), 1, atol=1e-6)


@pytest.mark.parametrize("scale", ["standardise", "unit", "symmetric"])
def test_a_feature_that_is_constant_in_the_training_data_becomes_zero(scale):
    constant = np.full((9, 1), 0.1, np.float32)
    shift, spread = data._shift_and_spread(constant, scale, axis=0)
    np.testing.assert_allclose((constant - shift) / spread, 0, atol=1e-8)


def test_size_keeps_that_many_training_examples_and_their_statistics():
    whole, part = data.load("digits", scale=None), data.load("digits", size=200, scale=None)
    assert part.x_train.shape == (200, 64)
    assert np.ptp(np.bincount(part.y_train)) <= 2
    np.testing.assert_array_equal(part.x_test, whole.x_test)
    assert {x.tobytes() for x in part.x_train} <= {x.tobytes() for x in whole.x_train}
    assert data.load("digits", size=200).x_train.std() == pytest.approx(1, abs=1e-5)
    for size in (1079, 1078):
        assert len(data.load("digits", size=size).y_train) == size


# --- Bad input ----------------------------------------------------------------------------------


@pytest.mark.parametrize("ask", [data.load, data.available])
def test_an_unknown_name_lists_the_nearest(ask):
    with pytest.raises(DataError, match=r"no data set 'Fashion-MINST'.*'fashion_mnist'"):
        ask("Fashion-MINST")
    with pytest.raises(DataError, match="The data sets are digits, breast_cancer"):
        ask("xyz")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"seed": -1}, "seed=-1.*from 0"),
        ({"seed": 0.5}, "seed=0.5: expected an integer from 0"),
        ({"seed": "0"}, "seed='0': expected"),
        ({"seed": True}, "seed=True: expected"),
        ({"seed": 2**32}, "seed=4294967296: expected"),
        ({"size": 20.0}, "size=20.0: expected a positive integer"),
        ({"size": "all"}, "size='all': expected"),
        ({"size": True}, "size=True: expected"),
        ({"scale": ["unit"]}, "expected 'standardise'"),
        ({"scale": np.ones(2)}, "expected 'standardise'"),
        ({"scale": "log"}, "scale='log'.*'standardise', 'unit' or 'symmetric'"),
        ({"size": 2}, "size=2.*expected 3"),
        ({"size": 107}, "size=107.*to 106"),
    ],
)
def test_arguments_that_make_no_sense(arguments, message):
    with pytest.raises(ValueError, match=message):
        data.load("wine", **arguments)


def test_numbers_may_be_numpys():
    assert same(
        data.load("wine", seed=np.int64(3), size=np.uint8(50)), data.load("wine", 3, size=50)
    )


@pytest.mark.parametrize("name", [None, 3, ["wine"], {"wine"}])
def test_what_is_no_name(name):
    with pytest.raises(DataError, match="There is no data set"):
        data.load(name)


# --- Fashion-MNIST: where it is looked for, and what can go wrong -------------------------------
# A miniature of the four files, with checksums of its own, stands in for the real ones.


def idx(array):
    head = bytes([0, 0, 8, array.ndim])
    return head + b"".join(n.to_bytes(4, "big") for n in array.shape) + array.tobytes()


class Mini:
    """A miniature Fashion-MNIST: 60 training and 20 test images, as files and as a web site."""

    def __init__(self, folder):
        rng = np.random.default_rng(0)
        self.folder = folder
        self.images = rng.integers(0, 256, (80, 28, 28), dtype=np.uint8)
        self.labels = np.tile(np.arange(10, dtype=np.uint8), 8)
        contents = (
            idx(self.images[:60]),
            idx(self.labels[:60]),
            idx(self.images[60:]),
            idx(self.labels[60:]),
        )
        self.files = {
            file: gzip.compress(content)
            for file, content in zip(data.FASHION_MNIST_FILES, contents, strict=True)
        }
        self.digests = {
            file: hashlib.sha256(content).hexdigest()
            for file, content in zip(self.files, contents, strict=True)
        }

    def write(self, folder):
        folder.mkdir(parents=True, exist_ok=True)
        for file, packed in self.files.items():
            (folder / file).write_bytes(packed)
        return folder


@pytest.fixture
def mini(tmp_path, monkeypatch):
    """No copy anywhere; the user's cache, the system's folder and ``ACTLAB_DATA`` are empty."""
    made = Mini(tmp_path)
    monkeypatch.setattr(data, "FASHION_MNIST_FILES", made.digests)
    monkeypatch.setattr(data, "SYSTEM_FOLDER", tmp_path / "system")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("ACTLAB_DATA", raising=False)
    return made


@pytest.fixture
def site(mini, monkeypatch):
    """The miniature on a real web server on this machine; returns what it answers per file."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            status, body, announced = answers[self.path.removeprefix("/")]
            self.send_response(status)
            self.send_header("Content-Length", str(announced))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    answers = {file: (200, packed, len(packed)) for file, packed in mini.files.items()}
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    monkeypatch.setattr(data, "HOME", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.delenv("ACTLAB_OFFLINE")
    yield answers
    server.shutdown()
    server.server_close()
    thread.join()


def cache_of(mini):
    return mini.folder / "cache" / "actlab" / "fashion-mnist"


def left_in(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def refuses(message):
    """The error names the cause (``message``) and the three ways to get the data."""
    return pytest.raises(
        DataError, match=rf"(?s){message}.*apt install.*ACTLAB_DATA.*ACTLAB_OFFLINE"
    )


def check_mini(mini):
    d = data.load("fashion_mnist", scale=None)
    assert [len(y) for _, y in parts(d)] == [49, 11, 20]
    np.testing.assert_array_equal(d.x_test, mini.images[60:].reshape(20, 784))
    np.testing.assert_array_equal(d.y_test, mini.labels[60:])
    rows = {image.tobytes() for image in mini.images[:60]}
    assert {x.astype(np.uint8).tobytes() for x in [*d.x_train, *d.x_valid]} == rows


@pytest.mark.parametrize("place", ["ACTLAB_DATA", "system", "cache"])
def test_found_in(place, mini, monkeypatch):
    assert not data.available("fashion_mnist")
    folder = {"system": mini.folder / "system", "cache": cache_of(mini)}.get(
        place, mini.folder / "own"
    )
    mini.write(folder)
    if place == "ACTLAB_DATA":
        monkeypatch.setenv("ACTLAB_DATA", str(folder))
    assert data.available("fashion_mnist")
    check_mini(mini)


def test_actlab_data_comes_first(mini, monkeypatch):
    mini.write(mini.folder / "system")
    own = mini.write(mini.folder / "own")
    monkeypatch.setenv("ACTLAB_DATA", str(own))
    (own / "t10k-labels-idx1-ubyte.gz").write_bytes(b"")
    with refuses("own.*t10k-labels"):
        data.load("fashion_mnist")


def closed_to_us(monkeypatch, folder):
    """What a folder without permissions is to anybody but root, who runs tests in containers."""
    stat = os.stat

    def refuse(path, *args, **kwargs):
        if isinstance(path, (str, Path)) and str(path).startswith(str(folder)):
            raise PermissionError(13, "Permission denied", str(path))
        return stat(path, *args, **kwargs)

    monkeypatch.setattr(os, "stat", refuse)


def test_a_folder_of_ones_own_that_cannot_be_looked_into(mini, monkeypatch):
    own = mini.write(mini.folder / "own")
    mini.write(mini.folder / "system")  # not taken silently instead
    monkeypatch.setenv("ACTLAB_DATA", str(own))
    closed_to_us(monkeypatch, own)
    for ask in (data.load, data.available):
        with refuses("ACTLAB_DATA=.*own cannot be looked into: Permission denied"):
            ask("fashion_mnist")


def test_a_cache_that_cannot_be_looked_into_is_passed_over(mini, monkeypatch):
    closed_to_us(monkeypatch, mini.folder / "cache")
    assert not data.available("fashion_mnist")
    with refuses("not on this machine"):
        data.load("fashion_mnist")
    mini.write(mini.folder / "own")
    monkeypatch.setenv("ACTLAB_DATA", str(mini.folder / "own"))
    check_mini(mini)


@pytest.mark.parametrize("folder", ["~nosuchuser", "~nosuchuser/data"])
def test_a_user_that_is_not_there(folder, mini, monkeypatch):
    monkeypatch.setenv("ACTLAB_DATA", folder)
    for ask in (data.load, data.available):
        with refuses(f"ACTLAB_DATA={folder}: there is no such user"):
            ask("fashion_mnist")


def test_a_path_that_is_too_long(mini, monkeypatch):
    monkeypatch.setenv("ACTLAB_DATA", str(mini.folder / ("x" * 5000)))
    with refuses("cannot be looked into: File name too long"):
        data.load("fashion_mnist")


def test_a_user_without_a_home(mini, monkeypatch):
    def homeless():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", homeless)
    with refuses("not on this machine"):
        data.load("fashion_mnist")
    monkeypatch.setenv("ACTLAB_OFFLINE", "0")
    with refuses("this user has no home to keep it in: set ACTLAB_DATA"):
        data.load("fashion_mnist")
    mini.write(mini.folder / "system")
    check_mini(mini)


def test_offline_and_nowhere(mini):
    with refuses("not on this machine.*system.*cache.*ACTLAB_OFFLINE forbids"):
        data.load("fashion_mnist")
    assert left_in(mini.folder) == []


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda packed: packed[: len(packed) // 2], "truncated or damaged"),
        (lambda packed: b"<html>not found</html>", "truncated or damaged"),
        (lambda packed: packed[:40] + b"\0\0\0\0" + packed[44:], "truncated or damaged"),
        (lambda packed: b"", "not the published file"),
        (lambda packed: gzip.compress(b"other"), "not the published file.*expected"),
    ],
    ids=["truncated", "html", "bits", "empty", "other"],
)
def test_a_truncated_or_wrong_file(spoil, message, mini):
    folder = mini.write(cache_of(mini))
    damaged = folder / "train-images-idx3-ubyte.gz"
    damaged.write_bytes(spoil(damaged.read_bytes()))
    with refuses(rf"train-images-idx3-ubyte\.gz is .*{message}.*Delete it"):
        data.load("fashion_mnist")


def test_a_file_that_cannot_be_read(mini, monkeypatch):
    mini.write(cache_of(mini))

    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with refuses("train-images.*cannot be read: Permission denied"):
        data.load("fashion_mnist")


@pytest.mark.parametrize("own", [False, True])
def test_fetched_once_and_kept(own, mini, site, monkeypatch):
    folder = cache_of(mini)
    if own:
        folder = mini.folder / "new" / "own"
        monkeypatch.setenv("ACTLAB_DATA", str(folder))
    check_mini(mini)
    assert left_in(mini.folder) == left_in(folder) == sorted(mini.files)
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o644}
    site.clear()  # from now on every request would fail
    check_mini(mini)
    monkeypatch.setenv("ACTLAB_OFFLINE", "1")
    check_mini(mini)


def test_a_second_try_fetches_only_what_is_missing(mini, site):
    last = "t10k-labels-idx1-ubyte.gz"
    good = site[last]
    site[last] = (503, b"", 0)
    with refuses(f"{last} could not be fetched: the server answered 503"):
        data.load("fashion_mnist")
    assert left_in(mini.folder) == sorted(set(mini.files) - {last})  # each whole and checked
    site.clear()
    site[last] = good
    check_mini(mini)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda packed: (404, b"", 0), "could not be fetched: the server answered 404 Not Found"),
        (
            lambda packed: (200, packed[:100], len(packed)),
            "could not be fetched: the connection ended after 100 bytes",
        ),
        (lambda packed: (200, packed[:100], 100), "What came from .* is truncated or damaged"),
        (lambda packed: (200, gzip.compress(b"?"), 21), "What came from .* not the published file"),
    ],
    ids=["http-error", "connection-lost", "truncated", "other"],
)
def test_a_download_that_goes_wrong_leaves_nothing(answer, message, mini, site):
    first = "train-images-idx3-ubyte.gz"
    site[first] = answer(mini.files[first])
    with refuses(rf"{message}.*Nothing was kept"):
        data.load("fashion_mnist")
    assert left_in(mini.folder) == []


def test_no_network(mini, site, monkeypatch):
    def no_route(*_, **__):
        raise URLError("Temporary failure in name resolution")

    monkeypatch.setattr(data.urllib.request, "urlopen", no_route)
    with refuses(r"no connection \(Temporary failure in name resolution\)"):
        data.load("fashion_mnist")
    assert left_in(mini.folder) == []


def test_nobody_listens(mini, site, monkeypatch):
    monkeypatch.setattr(data, "HOME", "http://127.0.0.1:9")
    with refuses(r"no connection \(.*[Rr]efused"):
        data.load("fashion_mnist")
    assert left_in(mini.folder) == []


def test_interrupted(mini, site, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(data, "_checked", interrupt)  # after the download, before it is kept
    with pytest.raises(KeyboardInterrupt):
        data.load("fashion_mnist")
    assert left_in(mini.folder) == []


def test_an_unwritable_cache(mini, site, monkeypatch):
    in_the_way = mini.folder / "file"
    in_the_way.write_text("not a folder")
    monkeypatch.setenv("ACTLAB_DATA", str(in_the_way / "below"))
    site.clear()  # not even asked
    with refuses("The folder .*below cannot be written to .*Not a directory"):
        data.load("fashion_mnist")
    assert left_in(mini.folder) == ["file"]


def test_a_full_disk(mini, site, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with refuses("cannot be written to .No space left on device"):
        data.load("fashion_mnist")
    assert left_in(mini.folder) == []


def test_the_home_is_asked_over_https():
    assert data.HOME.startswith("https://")
