"""The page for addresses that do not exist, ``404.html``, as GitHub Pages shows it.

It is shown at *any* address, however deep, so no relative link of an ordinary page would work:
everything it needs is inside it, and its links start from the site's own address.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any
from urllib.parse import urlsplit

PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>No such page · {title}</title>
<base href="{start}">
<script>
// On another address than the one the site was built for, its start is the server's root.
if (!location.pathname.startsWith("{start}")) document.querySelector("base").href = "/";
</script>
<style>
:root {{ color-scheme: light dark; --text: #1f2933; --ground: #fff; --link: #12558c;
  --line: #52606d; }}
@media (prefers-color-scheme: dark) {{ :root {{ --text: #e6e9ed; --ground: #14181e;
  --link: #82c3f5; --line: #9aa7b5; }} }}
body {{ margin: 0 auto; max-width: 38rem; padding: 2rem 1.25rem 3rem; color: var(--text);
  background: var(--ground); font: 1.0625rem/1.6 system-ui, sans-serif; }}
a {{ color: var(--link); }}
li {{ margin: .3rem 0; }}
form {{ display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; }}
input, button {{ font: inherit; padding: .4rem .7rem; border: 1px solid var(--line);
  border-radius: .3rem; }}
input {{ flex: 1 1 12rem; min-width: 0; }}
</style>
</head>
<body>
<main>
<h1>No such page</h1>
<p>At this address of the course <em>{title}</em> there is nothing, or no longer. Perhaps a page got
another name: look for a word of it, or begin at the <a href="{home}">front page</a>.</p>
<form action="search.html" role="search">
<label for="q">Search the course</label>
<input id="q" name="q" type="search" required>
<button>Search</button>
</form>
<h2>Chapters</h2>
<ul>
{chapters}
</ul>
</main>
</body>
</html>
"""


def page(title: str, start: str, home: str, chapters: Iterable[tuple[str, str]]) -> str:
    """The whole page; ``home`` and the chapters' addresses are relative to the site's start."""
    items = [f'<li><a href="{escape(link)}">{escape(name)}</a></li>' for link, name in chapters]
    return PAGE.format(
        title=escape(title), start=escape(start), home=escape(home), chapters="\n".join(items)
    )


def page_of(app: Any) -> str:
    """The page of the book that Sphinx has just built."""
    start = urlsplit(app.config.html_baseurl).path.rstrip("/") + "/"
    documents = sorted(name for name in app.env.titles if name.startswith("notebooks/"))
    chapters = [(app.builder.get_target_uri(n), app.env.titles[n].astext()) for n in documents]
    home = app.builder.get_target_uri(app.config.root_doc)
    return page(app.config.html_title, start, home, chapters)
