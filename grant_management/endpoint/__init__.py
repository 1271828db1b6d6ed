"""A call of the grant management API: the steps that check and perform it, and its answer."""
