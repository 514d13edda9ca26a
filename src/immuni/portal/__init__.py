"""The HIS portal: where a Healthcare Operator authorises the code that somebody dictates.

It has a database of its own, and reaches the services over HTTP only. Its parts are imported from
their modules: whoever reads the settings needs neither the template engine nor the HTTP client.
"""
