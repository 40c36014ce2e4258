"""Tables, their constraints and pure properties. Only operations write to them."""

from editor.models.aliases import ModelAlias
from editor.models.api_keys import ApiKey, SpentNonce
from editor.models.audit import AuditEntry
from editor.models.credits import CreditAccount, LedgerEntry
from editor.models.governance import Approval, Quote, UsageRule
from editor.models.images import Image, Star
from editor.models.invitations import Invitation, InvitationState
from editor.models.jobs import ENDED, LIVE, UNENDED, Channel, Job, JobEvent, JobImage, Status
from editor.models.notices import Notice
from editor.models.offers import ModelSetting, RouteSetting
from editor.models.presets import Character, CharacterImage, Style
from editor.models.provider_keys import ProviderKey
from editor.models.search import SearchEntry
from editor.models.shares import ShareLink
from editor.models.storage import StorageAccount
from editor.models.uploads import Upload
from editor.models.usage import DailyUsage, LedgerCheck
from editor.models.users import User
from editor.models.webhooks import Event, WebhookDelivery, WebhookEndpoint
from editor.models.workspaces import FormerAddress, Membership, Plan, Role, Rollover, Sharing, Workspace

__all__ = [
    "ENDED",
    "LIVE",
    "UNENDED",
    "ApiKey",
    "Approval",
    "AuditEntry",
    "Channel",
    "Character",
    "CharacterImage",
    "CreditAccount",
    "DailyUsage",
    "Event",
    "FormerAddress",
    "Image",
    "Invitation",
    "InvitationState",
    "Job",
    "JobEvent",
    "JobImage",
    "LedgerCheck",
    "LedgerEntry",
    "Membership",
    "ModelAlias",
    "ModelSetting",
    "Notice",
    "Plan",
    "ProviderKey",
    "Quote",
    "Role",
    "Rollover",
    "RouteSetting",
    "SearchEntry",
    "ShareLink",
    "Sharing",
    "SpentNonce",
    "Star",
    "Status",
    "StorageAccount",
    "Style",
    "Upload",
    "UsageRule",
    "User",
    "WebhookDelivery",
    "WebhookEndpoint",
    "Workspace",
]
