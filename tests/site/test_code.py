"""Lines of code that a phone can wrap without losing their indentation."""

import re
from html import unescape

import pytest
import yaml
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from . import conftest

from actlab_site import code  # isort: skip

SOURCE = 'def f(x):\n    """Two\n    lines."""\n\n    return np.abs([x]) <= 1\n'


def test_a_line_knows_its_indentation_and_the_text_stays_what_it_was():
    html = highlight(SOURCE, PythonLexer(), code.Lines(nowrap=True))
    lines = re.findall(r'<span class="line" style="--indent: (\d+)">(.*?\n)</span>', html, re.S)
    assert [int(indent) for indent, _ in lines] == [0, 4, 4, 0, 4]
    assert lines[-1][1].count("<wbr>") == 2
    assert unescape(re.sub(r"<[^>]*>", "", html)) == SOURCE
    assert all(line.count("<span") == line.count("</span") for _, line in lines)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_what_is_left_without_an_element_has_the_colour_of_text(theme):
    settings = yaml.safe_load((conftest.ROOT / "_config.yml").read_text())
    style = settings["sphinx"]["config"]["html_theme_options"][f"pygments_{theme}_style"]
    looks = {name: look for name, (look, *_) in HtmlFormatter(style=style).class2style.items()}
    assert {looks[name] for name in code.PLAIN} == {looks[""]}
    html = highlight(SOURCE, PythonLexer(), code.Lines(nowrap=True))
    assert not set(re.findall(r'class="(\w+)"', html)) & set(code.PLAIN)
    assert set(re.findall(r'class="(\w+)"', html)) >= {"line", "k", "nf", "mi", "o", "sd"}


def test_a_phone_wraps_code_below_its_own_indentation(page, address):
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(f"{address}/notebooks/02_relu.html")
    line = page.locator(".cell_input .line", has_text="torch.manual_seed(seed)").first
    look = "(node) => { const s = getComputedStyle(node); return [s.display, s.textIndent] }"
    display, indent = line.evaluate(look)
    assert display == "block"
    assert float(indent.removesuffix("px")) < -20
