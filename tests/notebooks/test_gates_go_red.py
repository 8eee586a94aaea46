"""For each gate, what it must catch: a good notebook is spoiled and the gate has to say so."""

import base64
import copy
import io
import re
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest

from . import gates, teaching

HERE = Path(__file__).parent
ADDRESS = "https://example.org/course"
TITLE, SETUP, PROSE, STREAM, RESULT, FIGURE, LAST_CODE = range(7)
PREDICT, SHARE, REVEAL, WHY, TRAIN, LAST, CHEAT = 7, 8, 9, 10, 15, 16, 17


@pytest.fixture
def good():
    return gates.read(HERE / "data" / "good.ipynb", ADDRESS)


def spoiled(good, spoil, *, twin_too=True):
    """The notebook after ``spoil(nb)``; its twin tells the same, unless the twin is the point."""
    nb = copy.deepcopy(good.nb)
    spoil(nb)
    return replace(good, nb=nb, twin=gates.source_text(nb) if twin_too else good.twin)


def test_the_good_notebook_passes(good):
    assert gates.check(good) == []


# --- Spoilers -----------------------------------------------------------------------------------


def put(cell, attribute, value):
    return lambda nb: nb.cells[cell].__setitem__(attribute, value)


def write(text, cell=PROSE):
    """Add a paragraph to a Markdown cell or a line to a code cell."""

    def spoil(nb):
        gap = "\n\n" if nb.cells[cell].cell_type == "markdown" else "\n"
        nb.cells[cell].source += gap + text

    return spoil


def stream(text, name="stdout"):
    return lambda nb: nb.cells[STREAM].outputs.append(
        nbformat.v4.new_output("stream", name=name, text=text)
    )


def fail(nb):
    nb.cells[STREAM].outputs.append(
        nbformat.v4.new_output("error", ename="ValueError", evalue="no", traceback=["no"])
    )


def html(text):
    return lambda nb: nb.cells[RESULT].outputs[0].data.__setitem__("text/html", text)


def alt(text):
    def spoil(nb):
        nb.cells[FIGURE].metadata["mystnb"] = {"image": {"alt": text}}
        nb.cells[FIGURE].outputs[0].metadata["image/png"]["alt"] = text

    return spoil


def no_alt(nb):
    del nb.cells[FIGURE].metadata["mystnb"]
    del nb.cells[FIGURE].outputs[0].metadata["image/png"]["alt"]


def no_picture(nb):
    del nb.cells[FIGURE].outputs[0].data["image/png"]


def no_output(nb):
    nb.cells[FIGURE].outputs = []


def mystnb(key):
    return lambda nb: nb.cells[FIGURE].metadata["mystnb"].update({key: True})


def begin(text):
    return lambda nb: nb.cells[STREAM].update(source=text + nb.cells[STREAM].source)


def handler(kind, does):
    return write(f"try:\n    a()\nexcept {kind}:\n    {does}", STREAM)


def stale_alt(nb):
    nb.cells[FIGURE].metadata["mystnb"]["image"]["alt"] += " And more."


def two_figures(nb):
    nb.cells[FIGURE].outputs *= 2


def same_alt_twice(nb):
    nb.cells[LAST_CODE].outputs = nb.cells[FIGURE].outputs
    nb.cells[LAST_CODE].metadata = nb.cells[FIGURE].metadata


def transparent(nb):
    from PIL import Image

    buffer = io.BytesIO()
    Image.new("RGBA", (4, 4), (255, 255, 255, 254)).save(buffer, format="png")
    nb.cells[FIGURE].outputs[0].data["image/png"] = base64.b64encode(buffer.getvalue()).decode()


def as_svg(nb):
    output = nb.cells[FIGURE].outputs[0]
    output.data = {"image/svg+xml": "<svg/>"}
    output.metadata = {"image/svg+xml": output.metadata["image/png"]}


def swapped(nb):
    nb.cells[RESULT], nb.cells[STREAM] = nb.cells[STREAM], nb.cells[RESULT]


def without(cell):
    return lambda nb: nb.cells.pop(cell)


def measured(**numbers):
    return lambda nb: nb.metadata.actlab.update(numbers)


def change(cell, old, new):
    """Other text in a cell's source."""

    def spoil(nb):
        assert old in nb.cells[cell].source
        nb.cells[cell].source = nb.cells[cell].source.replace(old, new)

    return spoil


def revealed(*texts, cell=REVEAL):
    def spoil(nb):
        nb.cells[cell].outputs = [
            nbformat.v4.new_output("display_data", data={"text/markdown": text}) for text in texts
        ]

    return spoil


def tags(cell, *names):
    return lambda nb: nb.cells[cell].metadata.__setitem__("tags", list(names))


def cards(number):
    def spoil(nb):
        nb.cells[RESULT].outputs[0].data["text/html"] = '<div class="verdict-card holds">' * number

    return spoil


def say(old, new):
    def spoil(nb):
        assert old in nb.cells[TITLE].source
        nb.cells[TITLE].source = nb.cells[TITLE].source.replace(old, new)

    return spoil


def no_predictions(nb):
    for cell in nb.cells:
        cell.source = cell.source.replace("> **Predict.**", "> **Guess.**")


HELPED = "from actlab.experiments import dying as lab\n" + "lab.a()\n" * 15
ANSWER = "> **Measured.** 33 % of the numbers: *one of the three*."
# gate, what is done to the good notebook, what the gate says
RED = [
    (gates.ran_top_to_bottom, put(STREAM, "execution_count", None), "cell 4 .*was not run"),
    (gates.ran_top_to_bottom, put(STREAM, "execution_count", 3), "run as number 3 instead of 2"),
    (gates.ran_top_to_bottom, swapped, "run as number 3 instead of 2"),
    (gates.ran_top_to_bottom, without(STREAM), "run as number 3 instead of 2"),
    (gates.ran_top_to_bottom, put(RESULT, "source", ""), "cell 5 .empty.: is empty"),
    (gates.ran_without_complaint, fail, "ended in ValueError"),
    (gates.ran_without_complaint, stream("warning!", "stderr"), r"wrote to stderr \(warning!\)"),
    (gates.has_only_known_magics, write("%fetch values", STREAM), "no magic %fetch"),
    (gates.has_only_known_magics, write("%%frobnicate", STREAM), "no magic %%frobnicate"),
    (gates.has_only_known_magics, stream("UsageError: what?"), "IPython refused a line"),
    (gates.has_no_traces_of_a_machine, stream("at /home/ada/x.py:3"), "absolute path .*/home/ada"),
    (gates.has_no_traces_of_a_machine, stream("saved in /tmp"), "absolute path .*/tmp"),
    (gates.has_no_traces_of_a_machine, stream("'/opt/data/x'"), "absolute path .*/opt/data/x"),
    (gates.has_no_traces_of_a_machine, stream(r"C:\Users\ada"), "absolute path .*C:"),
    (gates.has_no_traces_of_a_machine, stream("~/.cache/actlab"), "absolute path"),
    (gates.has_no_traces_of_a_machine, html("<i>/srv/x</i>"), "the output holds an absolute path"),
    (gates.has_no_traces_of_a_machine, write("open('/data/x.csv')", STREAM), "the source holds"),
    (gates.has_no_traces_of_a_machine, write("See /home/ada/notes."), "cell 3 .*the source holds"),
    (gates.has_no_traces_of_a_machine, stream("lib/site-packages/x"), "installed package"),
    (gates.has_no_traces_of_a_machine, stream("<object at 0x7f2c>"), "memory address"),
    (gates.has_no_traces_of_a_machine, stream("id 0x7f2c00aa11"), "memory address"),
    (gates.can_be_compared, write("# NBVAL_IGNORE_OUTPUT", STREAM), "exempts it"),
    (gates.can_be_compared, put(STREAM, "metadata", {"tags": ["nbval-skip"]}), "exempts it"),
    (gates.can_be_compared, put(STREAM, "metadata", {"tags": ["raises-exception"]}), "exempts it"),
    (gates.hides_nothing, put(STREAM, "metadata", {"tags": ["remove-output"]}), "remove-output"),
    (
        gates.hides_nothing,
        put(STREAM, "metadata", {"tags": ["hide-cell"]}),
        "tag hide-cell",
    ),
    (
        gates.hides_nothing,
        put(PROSE, "metadata", {"tags": ["remove-cell"]}),
        "remove-cell",
    ),
    (gates.hides_nothing, put(STREAM, "metadata", {"tags": ["skip-execution"]}), "skip-execution"),
    (
        gates.hides_nothing,
        put(STREAM, "metadata", {"jupyter": {"source_hidden": 1}}),
        "jupyter",
    ),
    (gates.hides_nothing, put(STREAM, "metadata", {"cellView": "form"}), "cellView are none"),
    (gates.hides_nothing, mystnb("remove_code_outputs"), "mystnb's remove_code_outputs"),
    (gates.hides_nothing, lambda nb: nb.metadata.update(mystnb={}), "metadata: mystnb is none"),
    (gates.hides_nothing, put(LAST_CODE, "cell_type", "raw"), "a raw cell"),
    (gates.hides_nothing, begin("%%capture\n"), "%%capture takes"),
    (gates.hides_nothing, begin("%%script false\n"), "%%script takes"),
    (gates.hides_nothing, write("try:\n    1 / 0\nexcept:\n    pass", STREAM), "nothing said"),
    (gates.hides_nothing, handler("Exception", "pass"), "nothing said"),
    (gates.hides_nothing, handler("ValueError", "..."), "nothing said"),
    (gates.hides_nothing, handler("Exception", "values = 0"), "every exception is caught"),
    (gates.hides_nothing, handler("(ValueError, Exception) as e", "a = 0"), "every exception"),
    (gates.hides_nothing, write("with contextlib.suppress(OSError):\n    a()", STREAM), "suppress"),
    (gates.hides_nothing, write("with redirect_stdout(f):\n    a()", STREAM), "redirect_stdout"),
    (gates.hides_nothing, write("warnings.simplefilter('ignore')", STREAM), "keeps warnings"),
    (gates.hides_nothing, write("if x", STREAM), "is no Python"),
    (gates.lives, write("if False:\n    a()", STREAM), "condition False never changes"),
    (gates.lives, write("if 0:\n    a()", STREAM), "condition 0 never changes"),
    (gates.lives, write("while False:\n    a()", STREAM), "condition False never"),
    (gates.lives, write("if not 1 and a():\n    a()", STREAM), "condition not 1 and a.. never"),
    (gates.lives, write("if a() or True:\n    a()", STREAM), "condition a.. or True never"),
    (gates.lives, write("b = 1 if 2 > 3 else 2", STREAM), "condition 2 > 3 never"),
    (gates.lives, write("DEBUG = False\nif DEBUG:\n    a()", STREAM), "condition DEBUG never"),
    (gates.lives, write("assert True", STREAM), "condition True never"),
    (gates.lives, write("assert (1 > 2, 'no')", STREAM), "condition .1 > 2, 'no'. never"),
    (gates.lives, write("for _ in range(0):\n    a()", STREAM), "loop over range.0. never"),
    (gates.lives, write("def f():\n    return 1\n    a()", STREAM), "code follows what leaves"),
    (gates.computes_what_it_shows, write("print(0.95)", STREAM), "0.95 is shown but not"),
    (gates.computes_what_it_shows, write("print('mean', -0.95)", STREAM), "0.95 is shown"),
    (gates.computes_what_it_shows, write("print('95.2 % of it')", STREAM), "95.2 is shown"),
    (gates.computes_what_it_shows, write("print(f'mean {0.95:.2f}')", STREAM), "0.95 is shown"),
    (gates.computes_what_it_shows, write("print(f'{values} 95 %')", STREAM), "95 is shown"),
    (gates.computes_what_it_shows, write("print('%s 95 %%' % values)", STREAM), "95 is shown"),
    (gates.computes_what_it_shows, write("display([values, 0.95])", STREAM), "0.95 is shown"),
    (gates.computes_what_it_shows, write("Markdown('| 12 |')", STREAM), "12 is shown"),
    (gates.computes_what_it_shows, write("{'alive': 7}", STREAM), "7 is shown"),
    (
        gates.computes_what_it_shows,
        write("m = 0.95\nprint(f'{m:.0%}')", STREAM),
        "is only",
    ),
    (gates.leaves_verdicts_to_the_ledger, write("> **Verdict: holds.** So."), "Verdict is written"),
    (gates.leaves_verdicts_to_the_ledger, write("> **Claim.** So it is."), "Claim is written"),
    (
        gates.leaves_verdicts_to_the_ledger,
        write("So: **Verdict: refuted.**"),
        "is written",
    ),
    (
        gates.leaves_verdicts_to_the_ledger,
        write("Markdown('> **Verdict: holds.** So.')", STREAM),
        "cell 4 .*a verdict is written by hand",
    ),
    (
        gates.leaves_verdicts_to_the_ledger,
        write("Finding('x', 'holds')", STREAM),
        "made by hand",
    ),
    (gates.has_described_figures, no_picture, "describes a picture .image/png. that is not there"),
    (gates.has_described_figures, no_output, "alt text without its picture"),
    (gates.has_described_figures, no_alt, "alt text is missing"),
    (gates.has_described_figures, stale_alt, "alt text is not the cell's"),
    (gates.has_described_figures, alt("_images/a9f31c77f3c5b8a0d8f3a3f7dd02b9c2.png"), "file's"),
    (gates.has_described_figures, alt("a9f31c77f3c5b8a0d8f3a3f7dd02b9c2a9f31c77f3c5b8"), "file's"),
    (gates.has_described_figures, alt("ReLU and its slope."), "19 characters instead of at least"),
    (gates.has_described_figures, two_figures, "shows 2 figures"),
    (gates.has_described_figures, same_alt_twice, "has the alt text of cell 6"),
    (gates.has_described_figures, transparent, "is transparent"),
    (gates.has_described_figures, as_svg, r"is image/svg\+xml; show it as a PNG"),
    (gates.has_described_figures, html('<img src="data:image/png;base64,AA==">'), "<img> in the"),
    (gates.equals_its_twin, put(STREAM, "source", "print(1)"), "cell 4 .*the source is not"),
    (gates.equals_its_twin, write("One word more."), "cell 3 .*the source is not"),
    (gates.equals_its_twin, put(LAST_CODE, "metadata", {"tags": ["hide"]}), "metadata are not"),
    (gates.equals_its_twin, put(LAST_CODE, "cell_type", "raw"), "is raw here and code in"),
    (gates.equals_its_twin, without(LAST), "17 cells here, 18 in the .py"),
    (gates.renders_everywhere, write("> [!NOTE]\n> Look."), "GitHub alert"),
    (gates.renders_everywhere, write("As shown[^1]."), "footnote"),
    (gates.renders_everywhere, write("ReLU\n: a function"), "definition list"),
    (gates.renders_everywhere, write("```{note}\nLook.\n```"), "MyST directive"),
    (gates.renders_everywhere, write("> ```{note}\n> Look.\n> ```"), "MyST directive"),
    (gates.renders_everywhere, write(":::{note}\nLook.\n:::"), "::: fence"),
    (gates.renders_everywhere, write("About 90\n% of them."), "a line that begins with %"),
    (gates.renders_everywhere, write("See {doc}`intro`."), "MyST role"),
    (gates.renders_everywhere, write("(relu)=\n## ReLU"), "MyST target"),
    (gates.renders_everywhere, write("In {{ version }}."), "substitution"),
    (gates.renders_everywhere, write(r"It costs \$5 and \$10."), "escaped dollar"),
    (gates.renders_everywhere, write("It costs $5."), "dollar sign without its partner"),
    (gates.renders_everywhere, write("It costs $5 or $6."), "blanks inside the dollar signs"),
    (gates.renders_everywhere, write("One ` here.\n\nA ~~lie~~.\n\nOne ` there."), "struck"),
    (gates.renders_everywhere, write("| a |\n|---|\n| $|w|$ |"), r"\| in a table's formula"),
    (gates.renders_everywhere, write("It is ~~slow~~ fast."), "struck-through"),
    (gates.renders_everywhere, write("<div>ReLU</div>"), r"raw HTML \(<div\)"),
    (gates.renders_everywhere, write('<a href="x">x</a>'), "raw HTML"),
    (gates.renders_everywhere, write(r"\begin{align} x \end{align}"), "bare LaTeX"),
    (gates.renders_everywhere, write(r"where \(x\) is"), r"a formula in"),
    (gates.renders_everywhere, write("![](x.png)"), "picture without alt"),
    (gates.renders_everywhere, write("[](x.md)"), "link without text"),
    (
        gates.renders_everywhere,
        write("<details>\n<summary>S</summary>\nx\n\n</details>"),
        "starts without a blank line",
    ),
    (
        gates.renders_everywhere,
        write("<details>\n<summary>S</summary>\n\nx\n</details>"),
        "ends without a blank line",
    ),
    (gates.renders_everywhere, write("<details>\n<summary>S</summary>\n\nx"), "not closed"),
    (gates.keeps_the_contract, say("# How", "How"), "does not|is not a Markdown cell that starts"),
    (gates.keeps_the_contract, say("minutes to read", "min"), "lacks the line"),
    (gates.keeps_the_contract, put(SETUP, "metadata", {}), "0 cells are tagged 'setup'"),
    (gates.keeps_the_contract, put(STREAM, "metadata", {"tags": ["setup"]}), "2 cells are tagged"),
    (gates.keeps_the_contract, write("x = 1", SETUP), "not the course's setup cell"),
    (gates.keeps_the_contract, write("x = 1\n" * 20, STREAM), "lines instead of at most 20"),
    (gates.keeps_the_contract, no_predictions, "no '> ..Predict"),
    (gates.keeps_the_contract, put(LAST, "source", "Key points"), "no '> ..Key points"),
    (gates.says_what_it_costs, lambda nb: nb.metadata.pop("actlab"), "were not measured"),
    (gates.says_what_it_costs, measured(seconds=91), "runs 91 s instead of at most 90"),
    (gates.says_what_it_costs, measured(peak_mb=1501), "takes 1501 MB instead of at most 1500"),
    (gates.says_what_it_costs, measured(seconds=30), "header says 5 seconds, measured were 30"),
    (gates.says_what_it_costs, measured(peak_mb=900), "header says 0.1 GB, measured were 0.9"),
    (gates.says_what_it_costs, say("in about 5 s", "in about 40 s"), "header says 40 seconds"),
    (gates.says_what_it_costs, write("word " * 1500), "8 minutes to read, measured were 1[56]"),
    (gates.says_what_it_costs, write("word " * 6000), "takes .. minutes instead of at most 35"),
    (
        gates.says_what_it_costs,
        say("8 minutes", "9 minutes"),
        "says 9 minutes to read, measured .* 8",
    ),
    (gates.has_the_right_form, lambda nb: nb.update(nbformat_minor=4), "is 4.4 instead of 4.5"),
    (gates.has_the_right_form, lambda nb: nb.metadata.kernelspec.update(name="conda"), "kernel"),
    (gates.has_the_right_form, lambda nb: nb.cells[PROSE].pop("id"), "cell 3 .*has no id"),
    (gates.has_the_right_form, lambda nb: nb.cells[0].update(id=nb.cells[1].id), "shares its id"),
    (gates.computes_what_it_shows, change(REVEAL, "{share:.0%}", "33 %"), "33 is shown but not"),
    (
        gates.leaves_verdicts_to_the_ledger,
        change(REVEAL, "choice=predict.pick(share, limits)", "choice='none'"),
        "the choice is typed",
    ),
    (teaching.reveals_its_predictions, no_predictions, "0 predictions; expected 3 to 7"),
    (teaching.reveals_its_predictions, change(PREDICT, "> - ", "> "), "has 0 choices .* 2 to 4"),
    (teaching.reveals_its_predictions, write("> - a\n> - b", PREDICT), "Predict box; let it end"),
    (
        teaching.reveals_its_predictions,
        change(PREDICT, "> - most", "> - most\n> - all\n> - more"),
        "has 5 choices",
    ),
    (teaching.reveals_its_predictions, write("So, 33 %.", PREDICT), "something follows the Pred"),
    (teaching.reveals_its_predictions, tags(SHARE), "cell 8 .*next cell is not tagged 'reveal'"),
    (teaching.reveals_its_predictions, tags(REVEAL), "cell 9 .*does not end with the one answer"),
    (teaching.reveals_its_predictions, revealed(), "cell 10 .*does not end with the one answer"),
    (teaching.reveals_its_predictions, revealed(ANSWER, ANSWER), "not end with the one answer"),
    (teaching.reveals_its_predictions, revealed(ANSWER, cell=SHARE), "not end with the one answer"),
    (
        teaching.reveals_its_predictions,
        revealed(ANSWER.replace("one of the three", "one of three")),
        "reveals 'one of three', which is none of the choices",
    ),
    (teaching.reveals_its_predictions, tags(LAST_CODE, "reveal"), "'reveal' without a prediction"),
    (
        teaching.reveals_its_predictions,
        write("## More", WHY),
        "a heading or a box would be covered",
    ),
    (teaching.reveals_its_predictions, write("> **Exercise 1.9.** A", WHY), "a heading or a box"),
    (
        teaching.reveals_its_predictions,
        put(REVEAL, "metadata", {"tags": ["reveal"]}),
        "cell 10 .*the answer is open in Lab",
    ),
    (
        gates.hides_nothing,
        put(STREAM, "metadata", {"jupyter": {"outputs_hidden": True}}),
        "cell 4 .*the metadata jupyter are none of the course's",
    ),
    (
        gates.hides_nothing,
        put(REVEAL, "metadata", {"tags": ["reveal"], "jupyter": {"source_hidden": True}}),
        "cell 10 .*the metadata jupyter are none of the course's",
    ),
    (teaching.shows_the_essential_code, write(HELPED, STREAM), "15 of .. lines call a helper .lab"),
    (teaching.shows_the_essential_code, change(TRAIN, ".step()", ""), "no whole .* in PyTorch"),
    (teaching.shows_the_essential_code, change(TRAIN, ".fit(", "("), "no whole .* in Keras"),
    (teaching.fits_the_page, write("x = '" + "x" * 67 + "'", STREAM), "73 characters in a line"),
    (
        teaching.fits_the_page,
        write("#" * 73, SETUP),
        "characters in a line",
    ),
    (teaching.can_be_run_again, write("values = 1", LAST_CODE), "reads values, which cell 7"),
    (
        teaching.can_be_run_again,
        lambda nb: [
            write("def again():\n    return values", RESULT)(nb),
            write("for values in [[]]:\n    pass", FIGURE)(nb),
        ],
        "cell 5 .*reads values, which cell 6",
    ),
    (teaching.shows_few_verdicts, cards(7), "7 cards instead of at most 6"),
    (teaching.ends_with_work_and_a_row, change(LAST, "Exercise 1.3", "Task"), "2 exercises; exp"),
    (teaching.ends_with_work_and_a_row, change(CHEAT, "claims.cheat(", "print("), "0 cells call"),
    (
        teaching.ends_with_work_and_a_row,
        lambda nb: nb.cells.insert(PROSE, nb.cells.pop(CHEAT)),
        "stands before the key points",
    ),
]


@pytest.mark.parametrize(
    ("gate", "spoil", "says"), RED, ids=[f"{gate.__name__}-{says}" for gate, _, says in RED]
)
def test_goes_red(gate, spoil, says, good):
    bad = spoiled(good, spoil, twin_too=gate is not gates.equals_its_twin)
    problems = list(gate(bad))
    assert [problem for problem in problems if re.search(says, problem)], problems
    assert set(problems) <= {p.removeprefix(f"{good.name}, ") for p in gates.check(bad)}


def test_a_figure_counts_even_where_another_cell_is_described(good):
    """The gate looks at every figure, not at the first only."""
    bad = spoiled(good, same_alt_twice)
    bad.nb.cells[LAST_CODE].metadata = {}
    assert [p for p in gates.has_described_figures(bad) if p.startswith("cell 7")]


def test_every_gate_was_seen_red():
    assert {gate for gate, _, _ in RED} == {*gates.GATES, *teaching.GATES}


def test_one_line_in_seven_may_call_a_helper(good):
    for lines in (9, 10):
        code = "from actlab.experiments.dying import per_layer\n" + "y = 1\n" * 30
        bad = spoiled(good, write(code + "per_layer(x)\n" * lines, STREAM))
        total = sum(len(teaching.code_lines(cell)) for _, cell in bad.cells("code"))
        found = [p for p in teaching.shows_the_essential_code(bad) if "per_layer" in p]
        assert bool(found) == (7 * lines > total), (lines, total)


def test_six_cards_are_few(good):
    assert not list(teaching.shows_few_verdicts(spoiled(good, cards(6))))


def test_minutes_follow_the_rule():
    card = '<div class="verdict-card"><p class="finding">{}</p>{}</div>'
    nb = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_markdown_cell(
                "word " * 400 + "<details>\n" + "w " * 900 + "</details>"
            ),
            nbformat.v4.new_markdown_cell("> **Predict.** w\n>\n> - a\n> - b"),
            nbformat.v4.new_code_cell("# a comment\n\nx = 1\n" * 24),
        ]
    )
    assert teaching.reading_minutes(nb) == 2 + 2 + 1
    html = card.format("<b>word</b> " * 300, "unread " * 500)
    nb.cells[2].outputs = [
        nbformat.v4.new_output("display_data", data={"image/png": "x"}),
        nbformat.v4.new_output("display_data", data={"text/html": html}),
    ]
    assert teaching.reading_minutes(nb) == 2 + 2 + 1 + 2 * 0.5 + 2


def test_a_missing_twin_and_a_large_file(good):
    assert "no .py beside it" in gates.check(replace(good, twin=None))[0]
    assert "instead of at most" in gates.check(replace(good, size=gates.MAX_BYTES + 1))[0]


def test_another_repository_address(good):
    problems = gates.check(replace(good, repository="https://example.org/fork"))
    assert len(problems) == 1
    assert "not the course's setup cell" in problems[0]


def test_files_without_their_twin(tmp_path):
    for name in ("both.py", "both.ipynb", "source.py", "notebook.ipynb"):
        (tmp_path / name).touch()
    assert gates.unpaired(tmp_path) == [
        "source.py has no .ipynb; run `make notebooks`",
        "notebook.ipynb has no .py; add it or remove it",
    ]


@pytest.mark.parametrize(
    "text",
    [
        r"$\frac{a}{b}$ and/or $x/y/z$, 3/4/5, https://example.org/a/b, [here](../a/b.ipynb)",
        "From the package: /usr/share/datasets/fashion-mnist",
        "| $\\lVert w \\rVert$ | $a$ |\n|---|---|\n| $b$ | $c$ |",
        "$$\n\\begin{align} x &< y \\\\ y &> z \\end{align}\n$$",
        "`~~x~~`, `> [!NOTE]`, `{doc}`, `<div>`, `\\$`",
        "```python\nx: int = 1  # ::: [^1] <b>\n```",
        "> <details>\n> <summary>Hint</summary>\n>\n> Look.\n>\n> </details>",
        "a <b, b> c, $a<b$, 1 < 2, <https://example.org>",
        "Where $a +\nb$ goes on, and `code\nwith ~~x~~` does.",
        "Note:\n- a list\n- of two",
    ],
)
def test_what_is_fine_stays_green(text, good):
    nice = spoiled(good, write(text))
    assert gates.check(nice) == []


@pytest.mark.parametrize(
    "code",
    [
        "try:\n    a()\nexcept ValueError as error:\n    print(error)",
        "try:\n    a()\nexcept Exception as error:\n    print(type(error).__name__)",
        "try:\n    a()\nexcept Exception:\n    raise",
        "while True:\n    break",
        "steps = 5\nif steps > values:\n    print(f'{steps} steps')",
        "with warnings.catch_warnings(record=True):\n    warnings.simplefilter('always')",
        "assert gap < 0.00001\nprint('no loss differs by more than 0.00001:', gap)",
        "print(f'W{values} = {64**-0.5:.2f} = 1/√64')\nassert values == 64**-0.5",
        "print('nobody here')",
        "%matplotlib inline",
    ],
)
def test_code_that_is_fine_stays_green(code, good):
    assert gates.check(spoiled(good, write(code, STREAM))) == []


def test_a_verdict_may_be_spoken_of(good):
    assert gates.check(spoiled(good, write("5. **Verdict**: *holds* or *refuted*."))) == []


def test_outputs_that_are_fine_stay_green(good):
    for text in ("shape (3, 4), 0xff, 12 % of 3/4", "10 s/epoch, loss 1e-3", "a - b / c/d"):
        assert gates.check(spoiled(good, stream(text))) == []
