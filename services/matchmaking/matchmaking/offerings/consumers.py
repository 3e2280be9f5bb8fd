"""What platforms say of offerings and providers."""

from common.inbox import Many, Routes

from matchmaking.offerings import service

routes: Routes = (
    ("offering.*", Many(service.follow)),
    ("provider.*", Many(service.follow)),
)
