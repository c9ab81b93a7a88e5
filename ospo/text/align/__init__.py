"""Alignment: which characters of the decoded text each generated token wrote.

Spans come from the generated ids themselves. Tokenising the text again may give other ids than
those that were sampled, and then every credit would land on the wrong token.
"""

from ospo.text.align.decoder import Decoder
from ospo.text.align.owners import token_segments
from ospo.text.align.spans import AlignmentError, token_spans

__all__ = ["AlignmentError", "Decoder", "token_segments", "token_spans"]
