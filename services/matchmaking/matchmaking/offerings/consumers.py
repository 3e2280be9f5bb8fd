"""What platforms say of offerings and providers."""

from common.inbox import Routes

from matchmaking.offerings import service

routes: Routes = (
    ("offering.*", service.follow),
    ("provider.*", service.follow),
)
