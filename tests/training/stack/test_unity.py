"""mmcv's sources are gathered only where they are the ones the cut was made for."""

from pathlib import Path

import pytest

from lvis_merge.training.stack.unity import gather

# the clash set of mmcv 2.3.6, and two that may stand in any unit
CPU = (
    *("roi_align_rotated", "deform_conv", "nms_rotated", "nms_quadri", "sparse_indice"),
    *("bezier_align", "box_iou_rotated", "box_iou_quadri", "sparse_maxpool"),
    *("sparse_reordering", "rotated_feature_align", "psamask", "nms", "roi_align"),
)
TOP = ("pybind", "nms", "roi_align")

OTHER_BRANCH = """
            op_files = glob.glob('./mmcv/ops/csrc/pytorch/*.cpp') + \\
                glob.glob('./mmcv/ops/csrc/pytorch/cpu/*.cpp')
            extension = CppExtension
            include_dirs.append(os.path.abspath('./mmcv/ops/csrc/common'))
            vendor = True
"""
CPU_BRANCH = OTHER_BRANCH.replace("vendor", "plain")


def source(folder: Path, setup: str, cpu: tuple[str, ...] = CPU) -> Path:
    code = folder / "mmcv/ops/csrc/pytorch"
    (code / "cpu").mkdir(parents=True)
    for name in TOP:
        (code / f"{name}.cpp").touch()
    for name in cpu:
        (code / "cpu" / f"{name}.cpp").touch()
    (folder / "setup.py").write_text(setup)
    return folder


def test_every_file_is_compiled_exactly_once(tmp_path: Path) -> None:
    folder = source(tmp_path, OTHER_BRANCH + CPU_BRANCH)

    assert gather(folder)

    units = sorted((folder / "mmcv/ops/csrc/unity").glob("*.cpp"))
    included = [line.split('"')[1] for unit in units for line in unit.read_text().splitlines()]
    wanted = [f"../pytorch/{name}.cpp" for name in TOP if name != "pybind"]
    wanted += [f"../pytorch/cpu/{name}.cpp" for name in CPU]
    assert sorted(included) == sorted(wanted)
    assert all((units[0].parent / name).is_file() for name in included)


def test_macros_of_psamask_reach_no_other_file(tmp_path: Path) -> None:
    folder = source(tmp_path, CPU_BRANCH)
    gather(folder)
    units = [unit.read_text().splitlines() for unit in folder.glob("mmcv/ops/csrc/unity/*.cpp")]
    (unit,) = [lines for lines in units if any("psamask" in line for line in lines)]
    assert "psamask" in unit[-1]


def test_only_the_last_branch_changes(tmp_path: Path) -> None:
    """The CPU branch is the last; a vendor's branch with the same lines comes before."""
    folder = source(tmp_path, OTHER_BRANCH + CPU_BRANCH)
    gather(folder)
    text = (folder / "setup.py").read_text()
    assert text.startswith(OTHER_BRANCH)
    assert text.count("unity") == 1
    assert text.index("unity") < text.index("plain")


@pytest.mark.parametrize(
    ("setup", "cpu"),
    [
        ("op_files = list_of_files()\n", CPU),  # another set-up script
        (CPU_BRANCH, CPU[:-3]),  # a file of the clash set is gone
    ],
)
def test_a_source_of_another_shape_is_left_as_shipped(
    tmp_path: Path, setup: str, cpu: tuple[str, ...]
) -> None:
    folder = source(tmp_path, setup, cpu)
    assert not gather(folder)
    assert (folder / "setup.py").read_text() == setup
    assert not (folder / "mmcv/ops/csrc/unity").exists()
