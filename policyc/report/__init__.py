"""How an answer looks: values in, text out, one file a format. Nothing here decides anything, reads a file or writes one."""
