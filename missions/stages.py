"""The stages of a mission, as missions and everything above it import them. (pure)"""

from accounts.stages import EXCEPTION_REASONS as EXCEPTION_REASONS
from accounts.stages import SAID_BY_DRIVERS as SAID_BY_DRIVERS
from accounts.stages import STAGE_BY_LABEL as STAGE_BY_LABEL
from accounts.stages import UNDELIVERED as UNDELIVERED
from accounts.stages import Stage as Stage
