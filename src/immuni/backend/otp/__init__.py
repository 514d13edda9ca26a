"""The OTP Service: records the codes that Healthcare Operators authorise.

Reached only by the health information system, over mutual TLS. Its database role can add codes and
look for them; it reads no date, no upload, nothing else.
"""
