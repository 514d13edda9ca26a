"""The small world in which virtual phones are shown: where they lie, what time it is, who helps.

Whoever looks on moves the phones, lets hours pass and plays the operator. All that happens, happens
as it would otherwise: on the phones' own code, over real HTTP, in the real portal.
"""
