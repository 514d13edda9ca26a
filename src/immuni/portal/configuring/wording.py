"""What each Configuration Setting means to people who are no programmers."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from immuni.web.languages import translatable


class Unit(StrEnum):
    """What a number counts."""

    NONE = ""
    SECONDS = "seconds"


@dataclass(frozen=True, slots=True)
class Wording:
    """One setting in words.

    Attributes:
        label: What it is called.
        meaning: What it does, in one or two sentences.
        unit: What its number counts.
    """

    label: str
    meaning: str
    unit: Unit = Unit.NONE


_S: Final = Unit.SECONDS

GROUPS: Final[Mapping[str, Mapping[str, Wording]]] = {
    translatable("Who is warned"): {
        "exposure_info_minimum_risk_score": Wording(
            translatable("Score that warns"),
            translatable("The app warns its user once a contact reaches this total risk score."),
        ),
        "exposure_configuration": Wording(
            translatable("How contacts are scored"),
            translatable(
                "How distance, duration, days since and infectiousness make the score of a contact."
            ),
        ),
        "exposure_detection_period": Wording(
            translatable("How often phones look"),
            translatable("At least this long passes between two looks for contacts."),
            _S,
        ),
        "risk_duration": Wording(
            translatable("How long somebody counts as at risk"),
            translatable("So long after the last contact the app shows its user as at risk."),
            _S,
        ),
    },
    translatable("Versions and the end"): {
        "minimum_build_version": Wording(
            translatable("Oldest build that may run"),
            translatable("Older builds detect nothing and ask for an update."),
        ),
        "service_end_date": Wording(
            translatable("Last day"),
            translatable("From this day on, by UTC, there is no service. Nothing: it goes on."),
        ),
        "active_regions": Wording(
            translatable("Regions that take part"),
            translatable("The regions in which the service has started. Nothing: all of them."),
        ),
    },
    translatable("Reminders"): {
        "service_not_active_notification_period": Wording(
            translatable("Reminder: detection is off"),
            translatable(
                "So long after the last one comes the next reminder that the app detects nothing."
            ),
            _S,
        ),
        "onboarding_not_completed_notification_period": Wording(
            translatable("Reminder: not set up"),
            translatable(
                "So long after the last one comes the next reminder to finish setting up the app."
            ),
            _S,
        ),
        "required_update_notification_period": Wording(
            translatable("Reminder: update"),
            translatable("So long after the last one comes the next reminder to update the app."),
            _S,
        ),
        "risk_reminder_notification_period": Wording(
            translatable("Reminder: at risk"),
            translatable("So long after the last one comes the next reminder of a contact."),
            _S,
        ),
    },
    translatable("Words and links"): {
        "advice": Wording(
            translatable("Advice"),
            translatable(
                "Text by language and state (neutral, at_risk, positive) in place of the app's own."
            ),
        ),
        "support_email": Wording(
            translatable("E-mail for help"), translatable("Shown in the app. Nothing: none.")
        ),
        "support_phone": Wording(
            translatable("Telephone for help"), translatable("Shown in the app. Nothing: none.")
        ),
        "support_phone_opening_time": Wording(
            translatable("The telephone opens at"),
            translatable("Shown beside the number, like 8:00."),
        ),
        "support_phone_closing_time": Wording(
            translatable("The telephone closes at"),
            translatable("Shown beside the number, like 20:00."),
        ),
        "faq_url": Wording(
            translatable("Questions and answers"),
            translatable("Address by language; otherwise the app's own copy."),
        ),
        "pn_url": Wording(
            translatable("Privacy notice"),
            translatable("Address by language; otherwise the app's own copy."),
        ),
        "tou_url": Wording(
            translatable("Terms of use"),
            translatable("Address by language; otherwise the app's own copy."),
        ),
    },
    translatable("Statistics"): {
        "operational_info_with_exposure_sampling_rate": Wording(
            translatable("Share that reports a warning"),
            translatable("Share of the phones with a contact that send Operational Info, 0 to 1."),
        ),
        "operational_info_without_exposure_sampling_rate": Wording(
            translatable("Share that reports otherwise"),
            translatable(
                "Share of the phones without a contact that send Operational Info, 0 to 1."
            ),
        ),
        "dummy_analytics_waiting_time": Wording(
            translatable("Wait between dummy reports"),
            translatable(
                "Mean time between two reports that mean nothing and hide the genuine ones."
            ),
            _S,
        ),
    },
    translatable("Uploads and what hides them"): {
        "teks_max_summary_count": Wording(
            translatable("Summaries in an upload"),
            translatable("At most so many summaries of contacts in one upload."),
        ),
        "teks_max_info_count": Wording(
            translatable("Details in an upload"),
            translatable("At most so many single contacts in one upload."),
        ),
        "teks_packet_size": Wording(
            translatable("Size of an upload"),
            translatable("Every check and every upload, genuine or not, has so many bytes."),
        ),
        "dummy_teks_average_opportunity_waiting_time": Wording(
            translatable("Wait between dummy uploads"),
            translatable("Mean time until a phone may begin uploads that mean nothing."),
            _S,
        ),
        "dummy_teks_window_duration": Wording(
            translatable("Window of dummy uploads"),
            translatable(
                "So long lasts an opportunity: opening the app within it begins a series."
            ),
            _S,
        ),
        "dummy_teks_average_start_waiting_time": Wording(
            translatable("Wait before the first dummy"),
            translatable("Mean time from opening the app to the first dummy."),
            _S,
        ),
        "dummy_teks_average_request_waiting_time": Wording(
            translatable("Wait between two dummies"),
            translatable("Mean time between two dummies of one series."),
            _S,
        ),
        "dummy_teks_request_probabilities": Wording(
            translatable("How dummy uploads go on"),
            translatable(
                "Probability of each further dummy in a series; the last one counts for the rest."
            ),
        ),
    },
}
"""By subject, in the order in which they stand."""

WORDINGS: Final[Mapping[str, Wording]] = {
    name: wording for group in GROUPS.values() for name, wording in group.items()
}
MEMBERS: Final[Mapping[str, str]] = {
    "attenuation_thresholds": translatable("Limits of near and far, in dB"),
    "attenuation_bucket_scores": translatable("Scores by attenuation, from far to near"),
    "days_since_last_exposure_bucket_scores": translatable(
        "Scores by days since, from long ago to today"
    ),
    "duration_bucket_scores": translatable("Scores by duration, from short to long"),
    "transmission_risk_bucket_scores": translatable("Scores by infectiousness, level 1 to 8"),
    "attenuation_weight": translatable("Weight of the attenuation"),
    "days_since_last_exposure_weight": translatable("Weight of the days since"),
    "duration_weight": translatable("Weight of the duration"),
    "transmission_risk_weight": translatable("Weight of the infectiousness"),
    "minimum_risk_score": translatable("Least score; below it a contact scores 0"),
}
"""The parts of the setting `exposure_configuration`."""

DANGERS: Final = (
    (r"the service ends on (?P<day>\S+)", translatable("the service ends on %(day)s")),
    (
        r"builds below (?P<build>\d+) detect no more until they are updated",
        translatable("builds below %(build)s detect no more until they are updated"),
    ),
    (
        r"no contact can reach the score that warns: nobody is warned any more",
        translatable("no contact can reach the score that warns: nobody is warned any more"),
    ),
    (
        r"phones look for contacts less than once a day",
        translatable("phones look for contacts less than once a day"),
    ),
    (
        r"every phone sends Operational Info, whether it was at risk or not",
        translatable("every phone sends Operational Info, whether it was at risk or not"),
    ),
    (
        r"phones send no dummy uploads: a genuine one stands out on the line",
        translatable("phones send no dummy uploads: a genuine one stands out on the line"),
    ),
)
"""The service's sentences, as patterns, and how they are said here; another stays as it is."""
