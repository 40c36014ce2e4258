"""What the audit log's actions are called: each has its group in the filter, and a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Group:
    """Actions that the filter finds together.

    sentences  by action. {target} and the entry's data are filled in. One that begins with "Changed" and
               ends with {changes} gets these in words: "Changed role of Mei Tanaka: Editor → Viewer".
    """

    label: str
    sentences: Mapping[str, str]


GROUPS: Mapping[str, Group] = MappingProxyType(
    {
        "members": Group(
            "Members",
            {
                "membership.added": "Added {target}",
                "membership.changed": "Changed {target}{changes}",
                "membership.removed": "Removed {target}",
                "invitation.created": "Invited {target}",
                "invitation.sent_again": "Sent the invitation of {target} again",
                "invitation.revoked": "Revoked the invitation of {target}",
                "invitation.accepted": "Accepted the invitation for {target}",
                "invitation.declined": "Declined the invitation for {target}",
            },
        ),
        "api-keys": Group(
            "API keys",
            {
                "api_key.created": "Created API key “{target}”",
                "api_key.changed": "Changed API key “{target}”{changes}",
                "api_key.rotated": "Rotated API key “{target}”",
                "api_key.revoked": "Revoked API key “{target}”",
                "api_key.removed": "Deleted API key “{target}” with its creator's account",
            },
        ),
        "providers": Group(
            "Provider keys",
            {
                "provider_key.saved": "Saved provider key {target}",
                "provider_key.tested": "Tested provider key {target}",
                "provider_key.enabled": "Enabled provider key {target}",
                "provider_key.disabled": "Disabled provider key {target}",
                "provider_key.changed": "Changed provider key {target}{changes}",
                "provider_key.removed": "Removed provider key {target}",
                "route.enabled": "Switched on the portal's route {target}",
                "route.disabled": "Switched off the portal's route {target}{note}",
            },
        ),
        "approvals": Group(
            "Approvals",
            {
                "approval.requested": "Asked for approval of an edit of {amount}",
                "approval.granted": "Approved an edit of {target} for {amount}",
                "approval.declined": "Declined an edit of {target} for {amount}{note}",
                "approval.withdrawn": "Withdrew an edit of {target} for {amount} that waited for approval",
                "approval.lapsed": "Nobody answered whether an edit of {target} for {amount} may run",
            },
        ),
        "credits": Group(
            "Credits",
            {
                "credits.granted": "Granted {amount}{note}",
                "credits.adjusted": "Adjusted the balance by {amount}{note}",
                "credits.differ": "Found a difference in the ledger of “{target}”",
                "credits.exported": "Downloaded the ledger",
                "credits.sent": "Transferred {amount} to {target}{note}",
                "credits.received": "Received {amount} from {target}{note}",
            },
        ),
        "images": Group(
            "Images",
            {
                "images.trashed": "Moved {images} to the trash",
                "images.restored": "Restored {images} from the trash",
                "images.purged": "Permanently deleted {images}",
            },
        ),
        "sharing": Group(
            "Public links",
            {
                "share.created": "Created a public link to image {target} for {days}",
                "share.revoked": "Revoked a public link to image {target}",
            },
        ),
        "presets": Group(
            "Presets and models",
            {
                "style.created": "Created style “{target}”",
                "style.changed": "Changed style “{target}”{changes}",
                "style.removed": "Removed style “{target}”",
                "model.changed": "Changed model “{target}”{changes}",
                "model.price_changed": "Changed the workspace's price of model “{target}”{changes}",
                "model_alias.created": "Created model alias “{target}”",
                "model_alias.changed": "Changed model alias “{target}”{changes}",
                "model_alias.removed": "Removed model alias “{target}”",
            },
        ),
        "webhooks": Group(
            "Webhooks",
            {
                "webhook.created": "Created webhook {target}",
                "webhook.changed": "Changed webhook {target}{changes}",
                "webhook.secret_renewed": "Renewed the secret of webhook {target}",
                "webhook.removed": "Removed webhook {target}",
                "webhook.disabled": "Disabled webhook {target}: it responded with 410 Gone",
                "webhook.resent": "Sent a delivery to {target} again",
                "credits.low_mark_changed": "Changed the low balance threshold{changes}",
            },
        ),
        "settings": Group(
            "Settings",
            {
                "workspace.created": "Created workspace “{target}”",
                "workspace.changed": "Changed workspace “{target}”{changes}",
                "workspace.renamed": "Renamed workspace “{target}”{changes}",
                "workspace.defaults_changed": "Changed the defaults of workspace “{target}”{changes}",
                "workspace.usage_mail_changed": "Changed who gets the monthly report{changes}",
                "workspace.limits_changed": "Changed the limits of the workspace{changes}",
                "workspace.rules_changed": "Changed which models {who} may use{changes}",
                "workspace.second_factor_changed": "Changed who needs a second factor{changes}",
                "workspace.address_changed": "Changed the address of the workspace{changes}",
                "workspace.picture_changed": "Changed the picture of workspace “{target}”",
                "workspace.picture_removed": "Removed the picture of workspace “{target}”",
                "workspace.plan_changed": "Changed the plan of workspace “{target}”{changes}",
                "workspace.suspended": "Suspended workspace “{target}”{note}",
                "workspace.resumed": "Resumed workspace “{target}”{note}",
                "workspace.deleted": "Deleted workspace “{target}”",
                "workspace.restored": "Restored workspace “{target}”",
                "workspace.purged": "Permanently deleted workspace “{target}” and all that belonged to it",
                "plan.created": "Created plan “{target}”",
                "plan.changed": "Changed plan “{target}”{changes}",
                "mail.tested": "Sent a test mail to {target}",
            },
        ),
        "sign-ins": Group(
            "Sign-ins",
            {
                "account.signed_in": "Signed in",
                "account.signed_out": "Signed out",
                "account.sign_in_failed": "Failed to sign in as {target}",
                "account.sessions_ended": "Ended sessions of {target}",
            },
        ),
        "accounts": Group(
            "Accounts",
            {
                "account.created": "Created the account of {target}",
                "account.changed": "Changed the account of {target}{changes}",
                "account.enabled": "Enabled the account of {target}",
                "account.disabled": "Disabled the account of {target}",
                "account.password_changed": "Changed the password of {target}",
                "account.email_changed": "Changed the email of an account{changes}",
                "account.second_factor_added": "Added a second factor to the account of {target}: {factor}",
                "account.second_factor_removed": "Removed a second factor of {target}: {factor}",
                "account.second_factor_renewed": "Renewed a second factor of {target}: {factor}",
                "account.second_factor_reset": "Reset the second factor of {target}",
                "account.provider_connected": "Connected the account of {target} with {provider}",
                "account.provider_disconnected": "Disconnected the account of {target} from {provider}",
                "account.deleted": "Deleted the account of {target}",
            },
        ),
        "exports": Group(
            "Exports",
            {
                "images.exported": "Downloaded {images} as a zip file",
                "workspace.exported": "Downloaded the images of workspace “{target}”",
                "audit.exported": "Downloaded the audit log as CSV",
            },
        ),
    }
)

SENTENCES: Mapping[str, str] = MappingProxyType(
    {action: sentence for group in GROUPS.values() for action, sentence in group.sentences.items()}
)

# Names of values, where they are not their column's name with spaces.
LABELS: Mapping[str, str] = MappingProxyType(
    {
        "access_image_editor": "Access Image Editor",
        "expires_at": "end",
        "is_active": "active",
        "is_default": "default plan",
        "is_enabled": "enabled",
        "is_staff": "staff",
        "is_superuser": "operator",
        "last_four": "last four characters",
        "new_key": "replaced by",
        "rollover": "unspent monthly credits:",
        "rollover_limit": "credits that stay",
        "slug": "address",
        "trash_days": "days in the trash",
    }
)
