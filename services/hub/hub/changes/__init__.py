"""What platforms say of their catalogues over HTTP, and what was taken over of it (目录变更)."""
