"""The look of all pages, in a light and a dark scheme: colours, words, fields, tables, focus."""

STYLE = """
:root{color-scheme:light;--paper:#fff;--ink:#1d1d1f;--soft:#5c6066;--line:#e2e4e8;--rule:#333;--edge:#868b93;
 --accent:#0b5cad;--mark:#a84300;--shade:#f4f5f7;--hover:#f2f6fb;--warn:#fff6e0;--warn-edge:#d99000}
@media screen and (prefers-color-scheme:dark){
 :root{color-scheme:dark;--paper:#15171a;--ink:#e4e6ea;--soft:#a7adb6;--line:#30343b;--rule:#9aa0a9;
  --edge:#7b818b;--accent:#82b9f4;--mark:#ff9d5c;--shade:#23262b;--hover:#1e2732;--warn:#352a10}
}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;color:var(--ink);background:var(--paper);
 font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
a{color:var(--accent)}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
.skip{position:absolute;left:.5rem;top:-4rem;z-index:3;padding:.4rem .8rem;background:var(--paper)}
.skip:focus{top:.5rem}
h1{font-size:1.6rem;line-height:1.2;margin:0 0 .3rem;letter-spacing:-.01em;overflow-wrap:anywhere}
code{font-size:.88em;background:var(--shade);padding:.05em .3em;border-radius:3px;
 overflow-wrap:anywhere}
summary{cursor:pointer;color:var(--accent)}
[hidden]{display:none!important}
.lead{color:var(--soft)}
.warning{background:var(--warn);border-left:4px solid var(--warn-edge);padding:.35rem .8rem;
 margin:.6rem 0 0}
.sticky{position:sticky;top:0;z-index:2;background:var(--paper);border-top:1px solid var(--line);
 border-bottom:1px solid var(--line)}
.sticky :is(input[type=search],select){font:inherit;padding:.2rem .45rem;
 border:1px solid var(--edge);border-radius:4px;background:var(--paper);color:inherit;
 max-width:100%}
::placeholder{color:var(--soft);opacity:1}
footer{border-top:1px solid var(--line);color:var(--soft);font-size:.85rem;
 padding-top:.8rem;padding-bottom:2rem}
table.numbers{border-collapse:separate;border-spacing:0;font-variant-numeric:tabular-nums;font-size:.87rem;
 border-top:1.5px solid var(--rule);border-bottom:1.5px solid var(--rule);margin:.4rem 0}
table.numbers th,table.numbers td{padding:.3rem .4rem;text-align:right;white-space:nowrap}
table.numbers thead th{font-weight:600;vertical-align:bottom;white-space:normal;
 min-width:3.4rem}
table.numbers thead th.col_heading{text-align:center}
table.words thead th.col_heading{text-align:left}
table.numbers thead tr:last-child th{border-bottom:1px solid var(--rule)}
table.numbers tbody th,table.numbers td.text{text-align:left;font-weight:500}
table.numbers td.text{white-space:normal;font-weight:400}
table.numbers thead th.blank,table.numbers tbody th:last-of-type,
table.words thead th:first-child,table.words tbody td.text:first-child{
 position:sticky;left:0;background:var(--paper)}
table.numbers tbody tr+tr>*{border-top:1px solid var(--line)}
table.numbers .spread{color:var(--soft)}
table.numbers .interval{display:block;color:var(--soft);font-size:.8em;font-weight:400}
table.numbers td.best{font-weight:700}
th button{font:inherit;color:inherit;background:none;border:0;padding:0;cursor:pointer;
 text-decoration:underline dotted}
p.note{color:var(--soft);font-size:.85rem;max-width:46rem;line-height:1.45;margin:.5rem 0}
.scroll{overflow-x:auto}
@media print{
 .sticky,.skip{display:none}
 .scroll{overflow:visible}
}
"""
