"""How the tables of grammar.py say a command: repetitions, choices and options of its parts."""


class Many:
    """One or more repetitions of a group of parts."""

    def __init__(self, *parts, low=1, high=4):
        self.parts, self.low, self.high = parts, low, high

    def expand(self, random):
        result = []
        for _ in range(random.randint(self.low, self.high)):
            result += expand(self.parts, random)
        return result


class Maybe:
    """A group that is there with some probability."""

    def __init__(self, *parts, chance=0.4):
        self.parts, self.chance = parts, chance

    def expand(self, random):
        return expand(self.parts, random) if random.random() < self.chance else []


class OneOf:
    """One of several parts; a tuple is a group."""

    def __init__(self, *choices):
        self.choices = choices

    def expand(self, random):
        choice = random.choice(self.choices)
        return expand(choice if isinstance(choice, tuple) else (choice,), random)


class Options:
    """Any of the groups, in any order, seldom twice; the odds favour few."""

    def __init__(self, *groups):
        self.groups = [group if isinstance(group, tuple) else (group,) for group in groups]

    def expand(self, random):
        count = random.choice((0, 0, 1, 1, 1, 2, 2, 3))
        result = []
        for _ in range(count):
            result += expand(random.choice(self.groups), random)
        return result


def expand(parts, random):
    result = []
    for part in parts:
        if isinstance(part, bytes):
            result.append(part)
        elif hasattr(part, "expand"):
            result += part.expand(random)
        else:
            result.append(part(random))
    return result
