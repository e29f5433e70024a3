"""What can go wrong, as shown to the user: one sentence or two that say what happened and what to do.

AppError
├── SetupNeeded             a provider is not set up; names the one thing to do
├── BadSetting              what the user entered cannot be used
├── LimitReached            a budget, or how much one visitor may do at once
├── TooManyRounds           the model kept calling tools
├── ToolError               goes back to the model as the tool's answer
├── FileUnread              a file was not added
├── PageUnread              a web page could not be read
│   └── AddressRefused      its address may not be read
├── IndexUnusable           a knowledge base cannot be read or written
│   ├── IndexInUse          another process is changing it
│   ├── IndexDamaged        its files are not what was written
│   ├── OtherModel          its vectors are another embedding model's
│   ├── DiskFull            there is no room for what was to be added
│   └── StoreUnusable       its vector store does not answer
└── ProviderError           the request was made and failed
    ├── Unreachable         nothing answered
    ├── TimedOut            nothing came for too long
    ├── KeyRefused          401, 403
    ├── PaymentNeeded       402, or no quota left
    ├── ModelMissing        404; `fetchable` when the backend could download it
    ├── ContextTooLong      the conversation does not fit the model
    ├── RequestRefused      400, 413, 422: the provider does not take it as it is
    ├── RateLimited         429; `retry_after` in seconds where the provider said it
    ├── Overloaded          500 and up
    ├── CutOff              the stream ended before the answer did
    └── BadReply            what came is not what the provider's protocol promises

No message repeats the provider's own text: it may hold a key, an address or markup.
"""

from __future__ import annotations


class AppError(Exception):
    """Anything that is shown to the user as written."""


class SetupNeeded(AppError):
    """A provider is not set up."""


class BadSetting(AppError):
    """What the user entered cannot be used."""


class LimitReached(AppError):
    """A budget is used up, or a visitor asks for too much at once."""


class TooManyRounds(AppError):
    """The model kept calling tools."""


class ToolError(AppError):
    """A tool could not answer; the text goes back to the model."""


class FileUnread(AppError):
    """A file was not added to a knowledge base. `reason` ends the sentence: "it is empty"."""

    def __init__(self, name: str, reason: str) -> None:
        self.reason = reason
        super().__init__(f"{name} was not added: {reason}.")


class PageUnread(AppError):
    """A web page could not be read."""


class AddressRefused(PageUnread):
    """The address may not be read."""

    def __init__(self) -> None:
        super().__init__("This address is not allowed: only public http and https pages can be read.")


class IndexUnusable(AppError):
    """A knowledge base cannot be read or written."""


class IndexInUse(IndexUnusable):
    """Another process is changing it."""

    def __init__(self) -> None:
        super().__init__("The knowledge base is in use by another process.")


class IndexDamaged(IndexUnusable):
    """Its files are not what was written."""

    def __init__(self) -> None:
        super().__init__("The knowledge base is damaged and is being rebuilt.")


class OtherModel(IndexUnusable):
    """Its vectors are those of the embedding model `made`, and `asked` is to be used."""

    def __init__(self, made: str, asked: str) -> None:
        super().__init__(f"The knowledge base was made with {made}. Rebuild it for {asked}?")


class DiskFull(IndexUnusable):
    """There is no room for `name`."""

    def __init__(self, name: str) -> None:
        super().__init__(f"The disk is full: {name} was not added.")


class StoreUnusable(IndexUnusable):
    """The vector store does not answer, or holds something else."""


class ProviderError(AppError):
    """A request was made and failed. `provider` is the provider's label."""

    happened = "{provider} failed."
    remedy = "Try again, or choose another model."

    def __init__(self, provider: str, remedy: str = "", happened: str = "") -> None:
        self.provider = provider
        super().__init__(f"{(happened or self.happened).format(provider=provider)} {remedy or self.remedy}")


class Unreachable(ProviderError):
    """Nothing answered."""

    happened = "{provider} cannot be reached."
    remedy = "Check the network, or that the server is running."


class TimedOut(ProviderError):
    """Nothing came for too long."""

    happened = "{provider} took too long to answer."
    remedy = "Try again, or choose another model."


class KeyRefused(ProviderError):
    """The key is wrong or may not do this."""

    happened = "{provider} refused the key."
    remedy = "Check that the key is right and allowed to use this model."


class PaymentNeeded(ProviderError):
    """No credit is left."""

    happened = "{provider} says that no credit is left."
    remedy = "Check the plan and billing of your account there."


class ModelMissing(ProviderError):
    """The provider does not have the model."""

    happened = "{provider} does not have this model."
    remedy = "Choose another one from the list."

    def __init__(self, provider: str, remedy: str = "", happened: str = "", fetchable: bool = False) -> None:
        super().__init__(provider, remedy, happened)
        self.fetchable = fetchable


class ContextTooLong(ProviderError):
    """The conversation does not fit the model."""

    happened = "The conversation is too long for this model of {provider}."
    remedy = "Start a new conversation, or choose a model with a larger context window."


class RequestRefused(ProviderError):
    """The provider does not take the request as it is."""

    happened = "{provider} did not accept the request."
    remedy = "Set the knobs back to their defaults, switch the tools off, or choose another model."


class RateLimited(ProviderError):
    """Too many requests. `retry_after` is in seconds, None when the provider did not say."""

    happened = "{provider} asks for fewer requests."
    remedy = "Wait a little and try again."

    def __init__(self, provider: str, retry_after: float | None = None) -> None:
        remedy = f"Try again in {round(retry_after)} seconds." if retry_after is not None else ""
        super().__init__(provider, remedy)
        self.retry_after = retry_after


class Overloaded(ProviderError):
    """The provider's own fault."""

    happened = "{provider} has a problem of its own at the moment."
    remedy = "Try again in a minute, or choose another model."


class CutOff(ProviderError):
    """The stream ended before the answer did."""

    happened = "The answer was cut off: {provider} closed the connection."
    remedy = "Press Retry to ask again."


class BadReply(ProviderError):
    """What came is not what the protocol promises."""

    happened = "{provider} sent something that cannot be read."
    remedy = "Check that its address is right, or try again."


def from_status(provider: str, status: int, hint: str = "", retry_after: float | None = None) -> ProviderError:
    """The error for an HTTP status.

    `hint` is the provider's code or text; it is looked at for what the status does not tell, and never shown.
    """
    hint = hint.lower()
    if status < 400:
        return BadReply(provider)
    if status in (400, 413, 422) and any(sign in hint for sign in TOO_LONG):
        return ContextTooLong(provider)
    if status == 402 or "insufficient_quota" in hint or "credit balance" in hint:
        return PaymentNeeded(provider)
    if status in (401, 403):
        return KeyRefused(provider)
    if status == 404 or "model_not_found" in hint:
        return ModelMissing(provider)
    if status == 408:
        return TimedOut(provider)
    if status == 429:
        return RateLimited(provider, retry_after)
    return Overloaded(provider) if status >= 500 else RequestRefused(provider)


# How servers word it: OpenAI's code, Anthropic's two sentences, vLLM's, llama.cpp's, Ollama's and Gemini's.
TOO_LONG = (
    "context_length_exceeded",
    "prompt is too long",
    "maximum context length",
    "exceed_context_size",
    "exceeds the available context",
    "too many tokens",
    "context window",
    "exceed context limit",
    "exceeds the context length",
    "exceeds the maximum number of tokens",
)
