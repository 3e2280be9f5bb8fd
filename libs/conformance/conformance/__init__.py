"""Whether a platform can belong to the network (一致性测试): rules, checks, report."""
