"""What each section of an audit holds: computed in ``auditing/sections``, drawn in ``report/sections``."""
