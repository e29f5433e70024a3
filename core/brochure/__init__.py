"""A company's brochure from its own web site: links picked, pages read, every link checked."""

from core.brochure.check import Checked, Section, checked, name
from core.brochure.choose import Picked
from core.brochure.dossier import Dossier, Row, left
from core.brochure.run import choose, read, translate, write
from core.brochure.wish import AUDIENCES, LANGUAGES, LENGTHS, TONES, Wish

__all__ = [
    "AUDIENCES", "LANGUAGES", "LENGTHS", "TONES", "Checked", "Dossier", "Picked", "Row", "Section", "Wish", "checked",
    "choose", "left", "name", "read", "translate", "write",
]  # fmt: skip
