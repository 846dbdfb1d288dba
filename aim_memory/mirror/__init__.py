"""The temporal mirror: how memories fade without being erased, and how a later fact closes an earlier one."""

from aim_memory.mirror.statements import statements
from aim_memory.mirror.supersession import NewStatement, decide
from aim_memory.mirror.weights import weights

__all__ = ["NewStatement", "decide", "statements", "weights"]
