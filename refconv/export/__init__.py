"""The vectors in other people's formats: one small file for each, deterministic, never a second truth."""

from refconv.export.prompts import Prompt, prompts_of
from refconv.export.run import FORMATS, export
from refconv.export.stream import stream_lines

__all__ = ["FORMATS", "Prompt", "export", "prompts_of", "stream_lines"]
