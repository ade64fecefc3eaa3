"""Command lines over the valid inputs, and odd values for their options."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

FEW = ("--bootstrap", "100")
NUMBERS = (
    "nan",
    "inf",
    "-inf",
    "-1",
    "0",
    "1",
    "10000000000000000000000",
    "1e400",
    "",
    "x",
    "0.5",
    "1,5",
    "٣",
)
TEXTS = (
    "",
    " ",
    ",",
    "=",
    ":",
    "a=b",
    "a:b",
    "naevus:melanoma",
    "melanoma:melanoma",
    "id=",
    "=id",
    "id=x",
    "id=id,id=id",
    "naevus=0.5",
    "naevus=nan",
    "naevus=2,melanoma=-1",
    "\x1b[31m",
    "ü" * 300,
    "../x",
    "a\u202eb",
    "site",
    "patient",
)
FILES = ("severity.csv", "cal.parquet", "images", "nowhere", "", "bench.yaml", "a" * 300, ".")


@dataclass(frozen=True)
class Verb:
    """A command line that is valid as it stands.

    Attributes:
        line: its words. reads: inputs to change. out: what it writes, relative.
        odd: option → values to try instead, whether it stands in the line or not.
    """

    line: tuple[str, ...]
    reads: tuple[str, ...]
    out: str = "out"
    odd: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def words(self, rng: Random) -> list[str]:
        """The line, sometimes with another value, a word more, or an output that is in the way."""
        words = list(self.line)
        roll = rng.random()
        if self.odd and roll < 0.35:
            option = rng.choice(list(self.odd))
            value = rng.choice(self.odd[option])
            if option in words:
                words[words.index(option) + 1] = value
            else:
                words += [option, value]
        elif "--out" in words and roll < 0.45:
            words[words.index("--out") + 1] = rng.choice((*self.reads, *FILES, "in-the-way"))
        elif roll < 0.48:
            words.append(rng.choice(("--nonsense", "extra", "\x07")))
        return words


TABLES = {"--columns": TEXTS, "--classes": TEXTS, "--labels": FILES, "--on": TEXTS, "--by": TEXTS}
JUDGED = {
    **TABLES,
    "--critical": TEXTS,
    "--prior": TEXTS,
    "--bootstrap": NUMBERS,
    "--seed": NUMBERS,
    "--fit": FILES,
    "--severity": (*FILES, *TEXTS, "isic2018"),
    "--limits": FILES,
    "--images": FILES,
}
VERBS = (
    Verb(
        ("audit", "test.csv", *FEW, "--severity", "severity.yaml", "--out", "out"),
        ("test.csv", "severity.yaml"),
        odd=JUDGED,
    ),
    Verb(
        (
            "audit",
            "test.parquet",
            *FEW,
            "--fit",
            "cal.parquet",
            "--severity",
            "severity.csv",
            "--limits",
            "limits.yaml",
            "--about",
            "about.yaml",
            "--by",
            "site",
            "--out",
            "out",
        ),
        ("test.parquet", "cal.parquet", "severity.csv", "limits.yaml", "about.yaml"),
        odd=JUDGED,
    ),
    Verb(("audit", "test.npz", *FEW, "--out", "out"), ("test.npz",), odd=JUDGED),
    Verb(("audit", "test.csv", *FEW, "--labels", "truth.csv", "--out", "out"), ("truth.csv",), odd=JUDGED),
    Verb(
        (
            "audit",
            "test.parquet",
            *FEW,
            "--policy",
            "policy.yaml",
            "--members",
            "other.parquet",
            "--out",
            "out",
        ),
        ("policy.yaml", "other.parquet"),
        odd=JUDGED,
    ),
    Verb(
        ("compare", "test.csv", "other.parquet", *FEW, "--severity", "severity.yaml", "--out", "out"),
        ("test.csv", "other.parquet", "severity.yaml"),
        odd=JUDGED,
    ),
    Verb(("severity", "check", "severity.yaml"), ("severity.yaml",), ""),
    Verb(("severity", "check", "severity.csv"), ("severity.csv",), ""),
    Verb(
        (
            "defer",
            "fit",
            "cal.parquet",
            "--severity",
            "severity.yaml",
            "--reader-cost",
            "0.5",
            "--out",
            "out.yaml",
        ),
        ("cal.parquet", "severity.yaml"),
        "out.yaml",
        {
            **TABLES,
            "--reader-cost": NUMBERS,
            "--reader-error": (*NUMBERS, *TEXTS),
            "--capacity": NUMBERS,
            "--seed": NUMBERS,
            "--decision": TEXTS,
            "--score": (*TEXTS, "pe", "msr"),
            "--learn": TEXTS,
        },
    ),
    Verb(
        (
            "defer",
            "fit",
            "cal.parquet",
            "--severity",
            "severity.yaml",
            "--certify",
            "cer",
            "--out",
            "out.yaml",
        ),
        ("cal.parquet", "severity.yaml"),
        "out.yaml",
        {
            "--certify": TEXTS,
            "--alpha": NUMBERS,
            "--delta": NUMBERS,
            "--denominator": TEXTS,
            "--method": TEXTS,
            "--unit": TEXTS,
            "--several": TEXTS,
        },
    ),
    Verb(
        ("defer", "apply", "policy.yaml", "test.parquet", "--out", "out.csv"),
        ("policy.yaml", "test.parquet"),
        "out.csv",
        {"--severity": FILES, "--reader-cost": NUMBERS, "--columns": TEXTS},
    ),
    Verb(
        ("ensemble", "test.parquet", "other.parquet", "--out", "out.parquet"),
        ("test.parquet", "other.parquet"),
        "out.parquet",
        {"--how": TEXTS, "--fit": FILES, "--seed": NUMBERS, "--columns": TEXTS, "--out-fit": FILES},
    ),
    Verb(
        ("import", "fd-shifts", "fd", "--out", "out"),
        ("fd/raw_logits.npz", "fd/external_confids.npz", "fd/encoded_output.npz"),
        "out",
        {"--classes": TEXTS, "--external": TEXTS, "--validation": NUMBERS},
    ),
    Verb(
        ("data", "check", "manifest", "--root", "manifest.csv", "--out", "out"),
        ("manifest.csv", "images/train/benign/0.png"),
        "out",
        {"--seed": NUMBERS, "--root": FILES},
    ),
    Verb(
        ("data", "check", "folder", "--root", "images", "--out", "out"),
        ("images/test/benign/16.png",),
        "out",
        {"--seed": NUMBERS, "--root": FILES},
    ),
    Verb(
        ("data", "corrupt", "manifest", "--root", "manifest.csv", "--corrupt", "jpeg:3", "--out", "out"),
        ("manifest.csv", "images/test/benign/16.png"),
        "out",
        {
            "--corrupt": (*TEXTS, "jpeg:9", "jpeg:", "jpeg:1e9", "stain:3"),
            "--split": TEXTS,
            "--seed": NUMBERS,
        },
    ),
    Verb(("train", "recipe.yaml", "--out", "occupied"), ("recipe.yaml",), "", {"--root": FILES}),
    Verb(
        ("bench", "losses", "bench.yaml", "--root", "nowhere", "--out", "out"),
        ("bench.yaml", "severity.yaml"),
        "",
        {"--jobs": NUMBERS, "--engine": TEXTS, "--address": TEXTS},
    ),
    Verb(
        ("bench", "scores", "scores.yaml", "--root", "nowhere", "--out", "out"),
        ("scores.yaml", "severity.yaml"),
        "",
        {"--jobs": NUMBERS},
    ),
    Verb(
        ("explore", "test.parquet", "--severity", "severity.yaml", "--policy", "policy.yaml"),
        ("test.parquet", "severity.yaml", "policy.yaml"),
        "",
        {"--train": FILES, "--images": FILES, "--port": NUMBERS, "--host": TEXTS},
    ),
    Verb(("explore", "audit"), ("audit/audit.json", "test.parquet"), ""),
    Verb(
        ("predict", "run", "--data", "manifest", "--root", "manifest.csv", "--out", "out.parquet"),
        (
            "run/network.json",
            "run/recipe.yaml",
            "run/splits.parquet",
            "run/network.safetensors",
            "manifest.csv",
        ),
        "out.parquet",
        {"--passes": NUMBERS, "--seed": NUMBERS, "--split": TEXTS, "--corrupt": TEXTS, "--data": TEXTS},
    ),
    Verb(
        ("explain", "run", "--data", "manifest", "--root", "manifest.csv", "--out", "out.parquet"),
        ("run/network.json", "run/recipe.yaml", "run/splits.parquet", "run/network.safetensors"),
        "out.parquet",
        {"--only": TEXTS, "--method": TEXTS, "--split": TEXTS},
    ),
    Verb(
        ("explore", "run"),
        (
            "run/network.json",
            "run/recipe.yaml",
            "run/predictions/test.parquet",
            "run/predictions/cal.parquet",
        ),
        "",
    ),
)
