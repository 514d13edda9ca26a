"""What ``immuni device`` and ``immuni radio`` print with ``--json``."""

from collections.abc import Mapping
from typing import Final

from immuni.framework import InactiveReason
from scripts.reference.told import Answer, Told

_DEVICE_CHANGED: Final = Told(
    exit_codes={1: "nobody answers"},
    answers=(Answer(dict, {}, like="what [`device status`](#immuni-device-status) prints."),),
)
DEVICE: Final[Mapping[str, Told]] = {
    "app run": Told(
        exit_codes={
            1: "another App runs in the folder, the port is taken, or its memory cannot be opened",
            78: "some settings are wrong or missing",
        },
        note="A daemon that does not answer is waited for, and the home screen says so. Where the "
        "port is taken, all links and cookies of before are void: whoever took it may have seen "
        "them.",
    ),
    "app open": Told(
        exit_codes={1: "the App does not run, or there is no browser that could be opened"},
        note="The browser gets the path of a file that leads on to the link: other users of the "
        "machine can read its command line.",
        answers=(
            Answer(
                lambda: {"link": "http://immuni-k2zq….localhost:8440/open#3q2-7wAB…"},
                {"link": "what opens the App in any browser of this user; it is secret"},
            ),
        ),
    ),
    "device run": Told(
        exit_codes={1: "the database cannot be opened, or another daemon has it"},
        note="An adapter that is missing is waited for.",
    ),
    "device status": Told(
        exit_codes={1: "exposure notifications do not work, or nobody answers"},
        answers=(
            Answer(
                lambda: {
                    "active": False,
                    "reasons": ["paused"],
                    "key_storage": "a file that only its owner can read",
                    "paused_until": "2026-11-22T18:00:00+00:00",
                    "radio_error": None,
                    "radio": {
                        "elapsed_seconds": 3600.0,
                        "scans": 14,
                        "scan_seconds": 56.0,
                        "on_air_seconds": 16.2,
                        "cpu_seconds": 1.9,
                    },
                },
                {
                    "active": "whether exposure notifications work",
                    "reasons[]": "why not: "
                    + ", ".join(f"`{reason.value}`" for reason in InactiveReason)
                    + "; `unreachable` where no daemon answers, and all that follows is null",
                    "key_storage": "where the key of the database is kept, in words",
                    "paused_until": "when a pause ends by itself; null where it does not, or there "
                    "is none",
                    "radio_error": "what the adapter said last; null where it works",
                    "radio.elapsed_seconds": "time since the daemon's start; of it",
                    "radio.scans": "how many scans there were",
                    "radio.scan_seconds": "how long the receiver was on",
                    "radio.on_air_seconds": "how long the transmitter was on",
                    "radio.cpu_seconds": "processor time of the daemon",
                },
            ),
        ),
    ),
    "device start": _DEVICE_CHANGED,
    "device stop": _DEVICE_CHANGED,
    "device pause": _DEVICE_CHANGED,
    "device resume": _DEVICE_CHANGED,
    "device delete": _DEVICE_CHANGED,
    "device repair": Told(
        exit_codes={
            1: "the database is whole, in use, or locked without `--begin-anew`, or there is no "
            "room for a second one"
        },
        answers=(
            Answer(
                lambda: {
                    "kept": {"own keys": 14, "sightings": 5120, "detections": 30},
                    "damaged": ["sightings"],
                    "set_aside": "var/device/framework.db.damaged-20261122T120000Z",
                },
                {
                    "kept.*": "how much of each kind the new database holds; nothing where the key "
                    "opens nothing",
                    "damaged[]": "kinds of which something is lost",
                    "set_aside": "where the damaged database lies now",
                },
            ),
        ),
    ),
    "radio check": Told(
        exit_codes={1: "there is no adapter, or none that works; the answer says why"},
        answers=(
            Answer(
                lambda: {
                    "ok": True,
                    "adapters": [
                        {"name": "hci-socket:0", "description": "hci0, by way of the kernel"},
                        {"name": "usb:1-1.2", "description": "USB, Dongle 5 (0a12:0001)"},
                    ],
                    "opened": "hci-socket:0",
                    "advertising_sets": True,
                    "tx_power_dbm": 7,
                    "seconds": 10,
                    "broadcasts": 78,
                    "phones": 2,
                    "strongest_rssi_dbm": -61,
                },
                {
                    "ok": "true",
                    "adapters[].name": "name of a way to an adapter, as `--adapter` takes it",
                    "adapters[].description": "what it is, for people",
                    "opened": "the one that listened",
                    "advertising_sets": "true: an adapter without them is of no use",
                    "tx_power_dbm": "what it transmits with",
                    "seconds": "how long it listened",
                    "broadcasts": "exposure notification broadcasts that it heard",
                    "phones": "different identifiers among them",
                    "strongest_rssi_dbm": "strength of the strongest; null where none was heard",
                },
            ),
            Answer(
                lambda: {
                    "ok": False,
                    "adapters": [
                        {"name": "hci-socket:0", "description": "hci0, by way of the kernel"},
                    ],
                    "reason": "cannot open the adapter 'hci-socket:0': Device or resource busy",
                    "advice": [
                        "Most likely bluetoothd holds it: sudo systemctl stop bluetooth",
                        "If it still says so: sudo hciconfig hci0 down",
                    ],
                },
                {
                    "ok": "false",
                    "adapters[].name": "as above",
                    "adapters[].description": "likewise",
                    "reason": "why none works, for people",
                    "advice[]": "what to do, for people",
                },
                when="Where no adapter works",
            ),
        ),
    ),
}
