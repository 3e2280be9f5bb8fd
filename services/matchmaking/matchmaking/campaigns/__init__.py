"""Campaigns (专项活动): many demands given to providers in one optimal plan that staff accept."""
