"""What platforms say of offerings, providers and ratings."""

from common.inbox import Routes

from matchmaking.offerings import service

routes: Routes = (
    ("offering.*", service.follow),
    ("provider.*", service.follow),
    ("rating.*", service.follow),
)
