"""What the bridges to authorization servers share, and a new bridge starts from.

An authorization server keeps its own codes and tokens. A bridge registers its tokens here, so that
they work at the grant management API, and lets a token that dies on one side die on the other, in
one transaction. "A bridge to another authorization server" builds one, step by step.
"""
