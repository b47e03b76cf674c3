"""The state of the synthetic market as plain data, from which it continues identically."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from types import ModuleType
from typing import Any, Final

from memesnipe.feeds.synthetic import insiders as synthetic_insiders
from memesnipe.feeds.synthetic import launches as synthetic_launches
from memesnipe.feeds.synthetic import stories as synthetic_stories
from memesnipe.feeds.synthetic.stories import Perp
from memesnipe.feeds.synthetic.token import Crowd, Token
from memesnipe.feeds.synthetic.world import Story, World
from memesnipe.market.pools import Pool

Given = int | float | Perp  # a keyword argument of a planned story


@dataclass(frozen=True, slots=True)
class Planned:
    """A scheduled story."""

    at_s: float
    number: int  # in order of scheduling
    story: str  # the function's name
    given: dict[str, Given]
    token: int | None  # index into the state's tokens


@dataclass(frozen=True, slots=True)
class MarketState:
    """The state of a `World`; pydantic converts it to JSON."""

    random: tuple[int, tuple[int, ...], float | None]  # the tuple of `random.Random.getstate`
    now_s: float
    sol_usd: float
    planned: int  # number of stories scheduled so far
    tokens: list[Token]
    traded: list[int]  # indices of the traded tokens, in the world's order
    queue: list[Planned]  # a heap


def _stories(*modules: ModuleType) -> dict[str, Callable[..., Any]]:
    found: dict[str, Callable[..., Any]] = {}
    for module in modules:
        for name, value in vars(module).items():
            if callable(value) and not isinstance(value, type) and value.__module__ == module.__name__:
                if name in found:
                    raise TypeError(f"two stories have the name {name}")
                found[name] = value
    return found


_STORIES: Final = _stories(synthetic_insiders, synthetic_launches, synthetic_stories)


def state_of(world: World) -> MarketState:
    """Return the state of a world between two stories, without shared objects."""
    indices: dict[int, int] = {}
    tokens: list[Token] = []

    def index_of(token: Token | None) -> int | None:
        if token is None:
            return None
        if id(token) not in indices:
            indices[id(token)] = len(tokens)
            tokens.append(_copied(token))
        return indices[id(token)]

    traded = [index_of(token) for token in world.tokens]
    queue = [
        Planned(at_s, number, *_name_and_arguments(story), index_of(token))
        for at_s, number, story, token in world.queue
    ]
    version, numbers, next_gauss = world.rng.getstate()
    return MarketState(
        (version, tuple(numbers), next_gauss),
        world.now_s,
        world.sol_usd,
        world.planned,
        tokens,
        [at for at in traded if at is not None],
        queue,
    )


def world_of(state: MarketState) -> World:
    """Return a world that continues from a state, without shared objects."""
    world = World(0)
    world.rng.setstate(state.random)
    world.now_s, world.sol_usd, world.planned = state.now_s, state.sol_usd, state.planned
    tokens = [_copied(token) for token in state.tokens]
    world.tokens = [tokens[at] for at in state.traded]
    world.queue = [
        (p.at_s, p.number, _story(p.story, p.given), None if p.token is None else tokens[p.token]) for p in state.queue
    ]
    return world


def _copied(token: Token) -> Token:
    plain = {name: getattr(token, name) for name in Token.__slots__}
    return Token(**{**plain, "pool": Pool(*token.pool), "crowd": Crowd(**asdict(token.crowd))})


def _name_and_arguments(story: Story) -> tuple[str, dict[str, Given]]:
    """Return the name of a story and its keyword arguments."""
    function: Any = story.func if isinstance(story, partial) else story
    given = story.keywords if isinstance(story, partial) else {}
    return function.__name__, {name: Perp(**asdict(v)) if isinstance(v, Perp) else v for name, v in given.items()}


def _story(name: str, given: dict[str, Given]) -> Story:
    function = _STORIES[name]
    copied = {key: Perp(**asdict(value)) if isinstance(value, Perp) else value for key, value in given.items()}
    return partial(function, **copied) if copied else function
