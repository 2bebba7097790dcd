"""The harness of the fault suite: the real gateway as a process, real trouble, an oracle that knows what is missing.

site = make_site()                      # a broker, the oracle that listens to it, a gateway (fixture of tests/faults)
site.gateway.start()
site.oracle.wait_delivered(100)
site.gateway.kill()
site.gateway.start()
verdict = site.finish()                 # lets the gateway drain, stops it, and looks into the spool
assert verdict.lost == []
"""

from support.faults.configs import Fleet, config
from support.faults.gateway_process import GatewayProcess
from support.faults.oracle import Oracle, Verdict
from support.faults.recorder import Recorder
from support.faults.site import ORACLE_BROKER, Site
from support.faults.spool_content import SpoolContent, read_spool

__all__ = [
    "ORACLE_BROKER",
    "Fleet",
    "GatewayProcess",
    "Oracle",
    "Recorder",
    "Site",
    "SpoolContent",
    "Verdict",
    "config",
    "read_spool",
]
