"""The command's families: one file each, with a table COMMANDS of name to function."""
