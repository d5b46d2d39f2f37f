"""The vectors in other people's formats: one small file for each, deterministic, never a second truth."""

from refconv.export.options import WORD_BITS, Options
from refconv.export.prompts import Prompt, prompts_of
from refconv.export.run import FORMATS, Exported, Selection, export
from refconv.export.stream import stream_lines

__all__ = ["FORMATS", "WORD_BITS", "Exported", "Options", "Prompt", "Selection", "export", "prompts_of", "stream_lines"]
