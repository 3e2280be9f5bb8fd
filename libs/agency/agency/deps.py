"""Who may call: the agency, and the staff of its platform."""

from typing import Annotated

from common.auth import Principal, allow

Agency = Annotated[Principal, allow("agency")]
Staff = Annotated[Principal, allow("window_staff", "cluster_staff", "operator")]
# The agency for what is its own, staff of this platform for all of it.
AgencyOrStaff = Annotated[Principal, allow("agency", "window_staff", "cluster_staff", "operator")]
# The platform's own systems and the hub on its behalf, beside its staff.
Reader = Annotated[Principal, allow("platform", "window_staff", "cluster_staff", "operator")]
