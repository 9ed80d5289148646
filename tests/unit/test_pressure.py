"""How busy the machine was during a drill."""

from saltroni.drill import pressure

TEXT = "some avg10=1.00 avg60=2.00 avg300=3.00 total={}\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=999\n"


def test_the_share_of_time_in_which_somebody_waited(tmp_path):
    moments, told = iter([100.0, 110.0]), tmp_path / "cpu"
    told.write_text(TEXT.format(5_000_000))
    meter = pressure.Meter(told, lambda: next(moments))
    told.write_text(TEXT.format(7_500_000))
    assert meter.share() == 0.25


def test_a_kernel_that_does_not_tell(tmp_path):
    assert pressure.Meter(tmp_path / "none").share() is None
    assert pressure.waited_s("full avg10=0.00 total=9\n") is None
