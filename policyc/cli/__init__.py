"""The command line: one file a command. Arguments in, `policyc.api` called, the result given to `policyc.report`."""
