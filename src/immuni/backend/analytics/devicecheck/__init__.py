"""The authorisation of analytics tokens by Apple's DeviceCheck, in steps that survive a crash."""
