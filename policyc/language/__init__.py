"""The policy language: text to syntax tree and back. Names are resolved later, in `policyc.policy`.

`literals` are the values, `words` the parts of a rule, `packet` what a test says, `tree` the statements of a file.
`parser` reads a text with the grammar of `grammar/policy.lark`, `format` prints one.
"""
