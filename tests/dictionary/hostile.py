"""A text that tries everything: to be markup, a template, a table's cell, a terminal's command."""

HOSTILE = '"><script>alert(1)</script>\n{{ 7*7 }} {% raw %} `x` | <img src=x onerror=alert(2)> \u202e \x1b[31m'
