"""The results as a picture: each server's figure as a share of the baseline's."""

from . import report


def shares(results, baseline):
    """(row name, server, median ratio, lowest, highest), in the order of the table."""
    found = []
    for row, servers in results.items():
        base_name = report.row_baseline(row, servers, baseline)
        for name, runs in servers.items():
            values = report.ratios(report.values_of(runs),
                                   report.values_of(servers[base_name]))
            if name != base_name and values:
                found.append((row.name, name, report.median(values), min(values), max(values)))
    return found


def draw(results, baseline, path):
    draw_shares(shares(results, baseline),
                f"share of {baseline}'s (of memcached's where the row says so): "
                "CPU time, bytes, p99.9", path)


def draw_shares(found, label, path):
    """A bar for each of `found`, which are as shares() gives them, in groups by row; 1 is marked."""
    import matplotlib
    matplotlib.use("Agg")  # no display is needed
    from matplotlib import pyplot

    if not found:
        return
    names = list(dict.fromkeys(name for name, *_ in found))
    servers = list(dict.fromkeys(server for _, server, *_ in found))
    height = 0.8 / len(servers)
    row_inches = 0.28 * max(1, 0.6 * len(servers))
    figure, axes = pyplot.subplots(figsize=(9, 1.2 + row_inches * len(names)))
    for number, server in enumerate(servers):
        mine = [entry for entry in found if entry[1] == server]
        places = [names.index(name) + number * height for name, *_ in mine]
        middles = [middle for *_, middle, _, _ in mine]
        errors = [[middle - low for *_, middle, low, _ in mine],
                  [high - middle for *_, middle, _, high in mine]]
        axes.barh(places, middles, height=height, xerr=errors, label=server,
                  error_kw={"elinewidth": 0.8, "ecolor": "0.3"})
    axes.axvline(1.0, color="0.4", linewidth=0.8)
    axes.set_yticks([index + 0.4 - height / 2 for index in range(len(names))], names, fontsize=8)
    axes.invert_yaxis()
    axes.set_xlabel(label)
    axes.legend(loc="lower right", frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
