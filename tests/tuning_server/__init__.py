"""A service of fine-tune jobs on the loopback: OpenAI's surface, Azure's and the legacy one."""

from tests.faults import Drop, Hang, Raw
from tests.tuning_server.faults import Fail, Fault
from tests.tuning_server.files import File
from tests.tuning_server.jobs import Job
from tests.tuning_server.server import TuningServer
from tests.tuning_server.service import KEY
from tests.tuning_server.stories import Story
from tests.tuning_server.values import Call

__all__ = [
    "KEY",
    "Call",
    "Drop",
    "Fail",
    "Fault",
    "File",
    "Hang",
    "Job",
    "Raw",
    "Story",
    "TuningServer",
]
