"""Who may say what to whom (消息路由)."""
