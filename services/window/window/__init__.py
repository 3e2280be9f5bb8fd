"""A window platform (窗口平台): the enterprise's side here, the provider's side from libs/agency."""
