"""The jobs of the road map on a CPU: `lvis-merge` commands, and which wait for which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from road_map_settings import Setting, run_name

EXPERTS = {"coco": "mini_pretrain", "open_images": "mini_expert_open_images"}
# long sides, as in the recipes' Resize; objects are 22 to 38 pixels there
VIEWS = ("--scales", "112x112,128x128,152x152", "--flip")
POOL = ("--pool", "300")  # boxes an image


@dataclass(frozen=True)
class Command:
    """One call of `lvis-merge`.

    Attributes:
        makes: the file or folder that is there once it has ended well; then it is not run again.
        arguments: without the program's name.
        keeps_stdout: `makes` is what it prints.
    """

    makes: Path
    arguments: tuple[str, ...]
    keeps_stdout: bool = False


@dataclass(frozen=True)
class Job:
    """Commands in turn, in one of the processes.

    Attributes:
        name: for people, and of its log file.
        commands: what it runs.
        after: names of the jobs that have to be done before.
    """

    name: str
    commands: tuple[Command, ...]
    after: tuple[str, ...] = ()


@dataclass(frozen=True)
class Lengths:
    """Optimizer steps; None: the recipes' own.

    Attributes:
        pretrain: of `mini_pretrain`.
        train: of every other recipe.
    """

    pretrain: int | None = None
    train: int | None = None

    def of(self, recipe: str) -> int:
        """How many steps a recipe takes."""
        return (self.pretrain or 800) if recipe == "mini_pretrain" else (self.train or 200)

    def options(self, recipe: str) -> tuple[str, ...]:
        """Options of `train` that say so; detections are scored apart, after the last step."""
        steps = self.of(recipe)
        return "--set", f"train_cfg.max_iters={steps}", "--set", f"+train_cfg.val_begin={steps + 1}"


@dataclass(frozen=True)
class Draw:
    """A drawn world with its manifests and the models that all its runs share.

    Attributes:
        folder: of all that.
        seed: of the world, and of these models.
        lengths: of training.
        small: the small world.
    """

    folder: Path
    seed: int
    lengths: Lengths
    small: bool = False

    @property
    def manifest(self) -> Path:
        """In LVIS's label space; the others lie beside it."""
        return self.folder / "lvis"

    @property
    def world(self) -> Path:
        """The drawn files."""
        return self.folder / "lvis_world"

    @property
    def pretrained(self) -> Path:
        """The checkpoint that every run starts from."""
        return self.folder / "pretrain" / f"iter_{self.lengths.of('mini_pretrain')}.pth"

    def jobs(self, experts: bool) -> list[Job]:
        """Draws, builds, and trains what its runs start from.

        Args:
            experts: with the experts' boxes on LVIS's val images.
        """
        name = f"draw{self.seed}"
        world = Job(f"{name}_world", self._build())
        pretrain = self.train("mini_pretrain", "coco", self.folder / "pretrain", self.seed, ())
        jobs = [world, Job(f"{name}_pretrain", (pretrain,), (world.name,))]
        if experts:
            jobs += [
                Job(f"{name}_expert_{source}", self._expert(source), (f"{name}_pretrain",))
                for source in EXPERTS
            ]
        return jobs

    def train(
        self, recipe: str, manifest: str, where: Path, seed: int, options: Sequence[str | Path]
    ) -> Command:
        """Trains on one of its manifests."""
        return _command(
            where / f"iter_{self.lengths.of(recipe)}.pth",
            "train", recipe, "--manifest", self.folder / manifest, *self._images(),
            "--seed", seed, "--work-dir", where, "--resume", *options,
            *self.lengths.options(recipe),
        )  # fmt: skip

    def test(self, recipe: str, checkpoint: Path, where: Path, *options: str | Path) -> Command:
        """Tests on LVIS's val images; its record is written last."""
        return _command(
            where / "test.json",
            "test", recipe, checkpoint, *self._images(), "--out", where, *options,
        )  # fmt: skip

    def expert_pools(self) -> list[Path]:
        """Of the experts on LVIS's val images, in LVIS's ids."""
        return [self.folder / f"expert_{source}.parquet" for source in EXPERTS]

    def _images(self) -> tuple[str | Path, ...]:
        roots = (self.world / "images", self.world / "openimages_images")
        return tuple(part for root in roots for part in ("--image-root", root))

    def _build(self) -> tuple[Command, ...]:
        files, held_out = self.world / "annotations", self.world / "annotations/lvis_val.json"
        draw = ("demo", "--world", "road-map", "--seed", self.seed, "--out", self.manifest)
        coco, open_images = (self.folder / source for source in EXPERTS)
        return (
            _command(self.manifest, *draw, *(("--small",) if self.small else ())),
            _command(
                coco,
                "build", "--coco", files / "instances_train2017.json", "--label-space", "coco",
                "--holdout", held_out, "--out", coco,
            ),
            _command(
                open_images,
                "build", "--openimages", self.world / "openimages", "--images", "all",
                "--openimages-sizes", files / "openimages_sizes.csv",
                "--mapping", self.world / "maps/open_images.csv", "--label-space", "open_images",
                "--holdout", held_out, "--out", open_images,
            ),
        )  # fmt: skip

    def _expert(self, source: str) -> tuple[Command, ...]:
        """Its multi-scale boxes on LVIS's val images, in LVIS's ids."""
        recipe, manifest = EXPERTS[source], self.folder / source
        where, pool = self.folder / f"expert_{source}", self.folder / f"expert_{source}.parquet"
        commands, checkpoint = [], self.pretrained
        if recipe != "mini_pretrain":
            commands = [self.train(recipe, source, where, self.seed, ("--init", self.pretrained))]
            checkpoint = commands[0].makes
        of_lvis = ("--manifest", manifest, "--images", self.manifest)
        test = self.test(
            recipe, checkpoint, where / "test", *of_lvis, *VIEWS, "--no-masks", *POOL
        )  # fmt: skip
        translate = _command(
            pool,
            "experts", where / "test/pool.parquet", "--map", self.world / f"maps/{source}.csv",
            "--manifest", manifest, "--target-manifest", self.manifest, "--out", pool,
        )  # fmt: skip
        return (*commands, test, translate)


@dataclass(frozen=True)
class Run:
    """All settings from one seed on one draw.

    Attributes:
        folder: of its files.
        draw: the draw.
        seed: of training.
    """

    folder: Path
    draw: Draw
    seed: int

    def job(self, setting: Setting) -> Job:
        """Trains or tests as a setting says, and scores it."""
        of_draw, of_run = f"draw{self.draw.seed}", run_name(self.draw.seed, self.seed)
        after = [f"{of_run}_{key}" for key in setting.needs]
        after += [f"{of_draw}_pretrain"] if setting.recipe else []
        after += [f"{of_draw}_expert_{x}" for x in EXPERTS] if setting.key == "ensemble" else []
        commands = self._trained(setting) if setting.recipe else self._tested(setting)
        return Job(f"{of_run}_{setting.key}", (*commands, *self._scores(setting.key)), tuple(after))

    def _trained(self, setting: Setting) -> tuple[Command, ...]:
        where = self.folder / setting.key
        init = ("--init", self.draw.pretrained)
        train = self.draw.train(setting.recipe, "lvis", where / "train", self.seed, init)
        return train, self._test(setting.recipe, train.makes, where / "test", "--pool", "0")

    def _tested(self, setting: Setting) -> tuple[Command, ...]:
        recipe, where = f"mini_{setting.tests}", self.folder / setting.key / "test"
        steps = self.draw.lengths.of(recipe)
        checkpoint = self.folder / setting.tests / "train" / f"iter_{steps}.pth"
        found = self.folder / "multi_scale_boxes/boxes"
        fused = self.folder / "ensemble/boxes.json"
        if setting.key == "multi_scale_boxes":
            first = self._test(recipe, checkpoint, found, *VIEWS, "--no-masks", *POOL)
            boxes = found / "results.json"
            return first, self._test(recipe, checkpoint, where, "--boxes", boxes)
        if setting.key == "multi_scale_masks":
            return (self._test(recipe, checkpoint, where, "--boxes", fused, *VIEWS),)
        first = _command(
            fused,
            "ensemble", found / "pool.parquet", *self.draw.expert_pools(), "--fit-on", "val",
            "--manifest", self.draw.manifest, "--out", fused,
        )  # fmt: skip
        return first, self._test(recipe, checkpoint, where, "--boxes", fused)

    def _test(self, recipe: str, checkpoint: Path, where: Path, *options: str | Path) -> Command:
        own = ("--manifest", self.draw.manifest)
        return self.draw.test(recipe, checkpoint, where, *own, *options)

    def _scores(self, key: str) -> tuple[Command, ...]:
        results = self.folder / key / "test/results.json"
        exhaustive = self.draw.world / "annotations/lvis_val_exhaustive.json"
        truths: dict[str, tuple[str | Path, ...]] = {
            f"{key}.json": ("--manifest", self.draw.manifest, "--split", "val"),
            f"{key}.exhaustive.json": ("--annotations", exhaustive),
        }
        return tuple(
            _command(self.folder / file, "evaluate", results, *truth, "--json", keeps_stdout=True)
            for file, truth in truths.items()
        )


def _command(makes: Path, *arguments: str | int | Path, keeps_stdout: bool = False) -> Command:
    return Command(makes, tuple(map(str, arguments)), keeps_stdout)
