"""Reports: one run, told to people at a terminal, to programs, to CI servers and to browsers."""

from refconv.report.html import html_text
from refconv.report.json_report import json_text
from refconv.report.junit import junit_text
from refconv.report.markdown import markdown_text
from refconv.report.terminal import print_report
from refconv.report.words import with_options
from refconv.report.write import SUFFIXES, may_write_report, write_report

__all__ = [
    "SUFFIXES",
    "html_text",
    "json_text",
    "junit_text",
    "markdown_text",
    "may_write_report",
    "print_report",
    "with_options",
    "write_report",
]
