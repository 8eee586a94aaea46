"""Each finishing step does its one thing, and does nothing the second time."""

import pytest
from actlab_site import finish
from PIL import Image

HEAD = """<head>
<script defer src="../_static/scripts/fontawesome.js?digest=55"></script>
<script src="../_static/documentation_options.js"></script>
<script src="../_static/doctools.js"></script>
<script async src="../_static/late.js"></script>
<script>DOCUMENTATION_OPTIONS.pagename = 'x';</script>
</head>"""


def test_the_icon_script_goes_and_nothing_else():
    after = finish.without_icon_script(HEAD)
    assert "fontawesome" not in after
    assert after.count("<script") == HEAD.count("<script") - 1


def test_the_theme_is_settled_before_anything_is_drawn():
    late = 'document.documentElement.dataset.theme = localStorage.getItem("theme") || "auto";'
    after = finish.settled_theme(f"<script>{late}</script>")
    assert "prefers-color-scheme: dark" in after
    assert late not in after
    assert finish.settled_theme(after) == after


def test_scripts_wait_for_the_text_except_the_one_that_others_need_at_once():
    after = finish.deferred_scripts(HEAD)
    assert '<script defer="defer" src="../_static/doctools.js">' in after
    assert '<script src="../_static/documentation_options.js">' in after
    assert "<script async src=" in after
    assert "<script>DOCUMENTATION_OPTIONS" in after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            '<div id="pst-primary-sidebar" class="x">',
            '<div id="pst-primary-sidebar" role="navigation" aria-label="Course" class="x">',
        ),
        (
            '<summary><span class="toctree-toggle">',
            '<summary aria-label="Pages below"><span class="toctree-toggle">',
        ),
        ("<tr><th></th><th>a</th>", "<tr><td></td><th>a</th>"),
        ('<th class="head"><p></p></th>', "<td></td>"),
        (
            '<input class="task-list-item-checkbox" type="checkbox"> Read "this"<br>',
            '<input class="task-list-item-checkbox" aria-label="Read &quot;this&quot;" '
            'type="checkbox"> Read "this"<br>',
        ),
        ("<summary>Solution</summary>", "<summary>Solution</summary>"),
    ],
)
def test_what_has_no_name_gets_one(before, after):
    assert finish.named_controls(before) == after
    assert finish.named_controls(after) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('<code><span class="pre">a</span> <span class="pre">b</span></code>', "<code>a b</code>"),
        ("<td><p>one <b>two</b></p></td>", "<td>one <b>two</b></td>"),
        ('<th class="head"><p>one</p>\n</th>', '<th class="head">one</th>'),
        ("<td><p>one</p><p>two</p></td>", "<td><p>one</p><p>two</p></td>"),
        ('<td><p class="x">one</p></td>', '<td><p class="x">one</p></td>'),
        ("<thead><p>one</p></thead>", "<thead><p>one</p></thead>"),
    ],
)
def test_elements_that_nothing_means_go(before, after):
    assert finish.without_idle_elements(before) == after


def size_of(address):
    return {"a.png": (600, 400), "b.png": (10, 10)}.get(address)


@pytest.mark.parametrize(
    ("tag", "size"),
    [
        ('<img src="a.png" alt="x"/>', ("600", "400")),
        ('<img src="a.png" alt="x">', ("600", "400")),
        ('<img src="a.png" style="width: 300px;">', ("300", "200")),
        ('<img src="a.png" width="150">', ("150", "100")),
        ('<img src="a.png" style="height: 100px">', ("150", "100")),
        ('<img src="a.png" style="width: 80%">', ("600", "400")),
    ],
)
def test_images_get_their_size(tag, size):
    after = finish.sized_images(tag, size_of)
    assert (finish.attribute(after, "width"), finish.attribute(after, "height")) == size
    assert finish.sized_images(after, size_of) == after


def test_all_images_but_the_first_load_late():
    after = finish.sized_images('<img src="a.png"><img src="b.png"><img src="c.png">', size_of)
    assert after.count('loading="lazy"') == 2
    assert after.startswith('<img src="a.png" width="600" height="400">')
    assert finish.sized_images(after, size_of) == after


def test_sizes_are_read_from_the_files(tmp_path):
    Image.new("RGB", (30, 20)).save(tmp_path / "a b.png")
    (tmp_path / "c.svg").write_text('<svg viewBox="0 0 32 16"></svg>')
    assert finish.picture_size(tmp_path, "a%20b.png?v=1") == (30, 20)
    assert finish.picture_size(tmp_path, "c.svg") == (32, 16)
    assert finish.picture_size(tmp_path, "missing.png") is None
    assert finish.picture_size(tmp_path, "https://example.org/a.png") is None


@pytest.mark.parametrize(
    ("alt", "says_something"),
    [
        ("Dead share by layer, rising to half.", True),
        ("", False),
        (None, False),
        ("_images/5f3a.png", False),
        ("A file.png", False),
        ("plot", False),
    ],
)
def test_alt_text_says_something(alt, says_something):
    assert finish.is_meaningful(alt) is says_something
    tag = "<img src='x'>" if alt is None else f'<img src="x" alt="{alt}">'
    assert bool(finish.without_alt(tag)) is not says_something


def test_the_edit_button_of_a_generated_page_leads_to_its_source():
    link = '<a href="https://host/edit/main/book/reference/{}.md">'
    for page, source in {
        "family-relu": "src/actlab/catalog/relu.py",
        "then-and-now": "book/_ext/actlab_site/reference.py",
    }.items():
        after = finish.edit_link(link.format(page), f"book/reference/{page}")
        assert after == f'<a href="https://host/edit/main/{source}">'
    written = '<a href="https://host/edit/main/book/evidence.md">'
    assert finish.edit_link(written, "book/evidence") == written


def test_colab_and_binder_open_the_learners_edition():
    binder = "https://mybinder.org/v2/gh/a/b/main?urlpath=lab/tree/notebooks/"
    colab = "https://colab.research.google.com/github/a/b/blob/main/notebooks/"
    others = '<a href="https://github.com/a/b/edit/main/notebooks/02_relu.ipynb">'
    others += f'<a href="{colab}03_tanh.ipynb">'
    page = f'<a href="{binder}02_relu.ipynb"><a href="{colab}02_relu.ipynb">{others}'
    done = finish.launch_learners(page, "notebooks/02_relu")
    wanted = f'<a href="{binder}learner/02_relu.ipynb"><a href="{colab}learner/02_relu.ipynb">'
    assert done == wanted + others
    assert finish.launch_learners(done, "notebooks/02_relu") == done


def test_a_link_to_a_claim_leads_to_its_entry_at_once():
    homes = {"on-trial-a": "claims-02-relu.html#on-trial-a"}
    known, unknown = '<a href="../claims.html#on-trial-a">', '<a href="claims.html#on-trial-b">'
    assert finish.to_entries(known, homes) == '<a href="../claims-02-relu.html#on-trial-a">'
    assert finish.to_entries(unknown, homes) == unknown
