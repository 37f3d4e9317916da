"""Address, number and id from the variables of schedulers, and refusals of partial answers."""

import pytest

from wellposed import hosts
from wellposed._errors import HostsError

SRUN = {
    "SLURM_JOB_ID": "123456",
    "SLURM_STEP_ID": "0",
    "SLURM_STEP_NODELIST": "gpu[003-006,9]",
    "SLURM_PROCID": "3",
    "SLURM_NTASKS": "4",
}
MPIRUN = {
    "OMPI_COMM_WORLD_RANK": "1",
    "OMPI_COMM_WORLD_SIZE": "2",
    "OMPI_COMM_WORLD_LOCAL_SIZE": "2",
    "PMIX_NAMESPACE": "prterun-node-4711@1",
}
PLAIN = {
    "JAX_COORDINATOR_ADDRESS": "10.0.0.1:1234",
    "WELLPOSED_PROCESSES": "8",
    "WELLPOSED_PROCESS": "7",
}


def parts(environ, **given):
    place = hosts.find_place(environ, **given)
    return place.address, place.n_processes, place.process


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        (SRUN, ("gpu003:23456", 4, 3)),
        (PLAIN, ("10.0.0.1:1234", 8, 7)),
        (
            {
                "JAX_COORDINATOR_ADDRESS": "a:1",
                "JAX_NUM_PROCESSES": "2",
                "JAX_PROCESS_ID": "0",
            },
            ("a:1", 2, 0),
        ),
        (
            {"JAX_COORDINATOR_ADDRESS": "j-0.j:20007", "JAX_NUM_PROCESSES": "2"}
            | {"JOB_COMPLETION_INDEX": "1"},
            ("j-0.j:20007", 2, 1),
        ),
        (
            {"COORDINATOR_ADDRESS": "w-0", "COORDINATOR_PORT": "6666", "NUM_PROCESSES": "2"}
            | {"PROCESS_ID": "1"},
            ("w-0:6666", 2, 1),
        ),
        (
            {"PMI_RANK": "0", "PMI_SIZE": "2", "JAX_COORDINATOR_ADDRESS": "h:9"},
            ("h:9", 2, 0),
        ),
    ],
    ids=["srun", "plain", "JAX", "Kubernetes", "JAXJob", "MPICH"],
)
def test_schedulers_are_read(environ, expected):
    assert parts(environ) == expected


def test_processes_of_open_mpi_on_one_host_share_an_address():
    address, n, process = parts(MPIRUN)
    assert address.startswith("127.0.0.1:")
    assert (n, process) == (2, 1)
    assert parts(MPIRUN | {"OMPI_COMM_WORLD_RANK": "0"}) == (address, 2, 0)


def test_mpirun_within_slurm_has_the_ids_of_mpirun():
    # mpirun starts one step: every process sees SLURM's id 0.
    inside = SRUN | {"SLURM_PROCID": "0", "SLURM_JOB_NODELIST": "gpu[003-004]"}
    inside |= MPIRUN | {"OMPI_COMM_WORLD_LOCAL_SIZE": "1"}
    assert parts(inside) == ("gpu003:23456", 2, 1)


def test_options_come_before_variables():
    given = {"address": "b:5", "n_processes": 3, "process": 2}
    assert parts(SRUN, **given) == ("b:5", 3, 2)
    assert parts(SRUN, address="b:5") == ("b:5", 4, 3)
    assert parts(SRUN | PLAIN) == ("10.0.0.1:1234", 8, 7)


@pytest.mark.parametrize(
    ("environ", "missing", "remedy"),
    [
        ({}, "no variables of a scheduler", "JAX_COORDINATOR_ADDRESS"),
        ({"JAX_COORDINATOR_ADDRESS": "a:1"}, "number of processes and the id", "--processes"),
        (MPIRUN | {"OMPI_COMM_WORLD_SIZE": "4"}, "the address of process 0", "mpirun -x"),
        ({"JOB_COMPLETION_INDEX": "0"}, "number of processes", "JOB-0.SERVICE"),
        ({**SRUN, "SLURM_NTASKS": ""}, "the number of processes", "srun"),
    ],
)
def test_what_is_missing_is_named(environ, missing, remedy):
    with pytest.raises(HostsError, match=missing) as found:
        hosts.find_place(environ)
    assert remedy in str(found.value)


@pytest.mark.parametrize(
    "given",
    [
        {"address": "host"},
        {"address": "host:0"},
        {"address": ":80"},
        {"address": "host:70000"},
        {"n_processes": 0},
        {"process": 8},
        {"process": -1},
    ],
)
def test_nonsense_is_refused(given):
    with pytest.raises(HostsError, match="got"):
        hosts.find_place(PLAIN, **given)
    with pytest.raises(HostsError, match="whole number; got 'two' from the environment"):
        hosts.find_place(PLAIN | {"WELLPOSED_PROCESSES": "two"})


@pytest.mark.parametrize(
    ("nodes", "host"),
    [
        ("node001", "node001"),
        ("node001,host2", "node001"),
        ("node[001-0015],host2", "node001"),
        ("node[001,007-015],host2", "node001"),
        ("r[2-3]n[04,6].example.org", "r2n04.example.org"),
    ],
)
def test_the_first_host_of_a_list(nodes, host):
    assert hosts.first_host(nodes) == host


def test_process_0_listens_at_its_own_address_alone(monkeypatch, capsys):
    from wellposed.hosts import _join

    def place(host):
        return hosts.Place(f"{host}:{hosts.free_port()}", 2, 0, "test")

    for host in ("127.0.0.1", "localhost"):
        own = place(host)
        assert _join._check_port(own, 0.0) == own.address
    found = _join.socket.getaddrinfo("127.0.0.1", 0, type=_join.socket.SOCK_STREAM)
    monkeypatch.setattr(_join.socket, "getaddrinfo", lambda *_, **__: found)
    assert _join._check_port(place("node08"), 0.0).startswith("[::]:")
    assert "node08 is 127.0.0.1 on its own host" in capsys.readouterr().err


def test_a_port_that_is_taken_and_a_name_that_is_unknown_are_refused():
    from wellposed.hosts import _join

    with _join.socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = hosts.Place(f"127.0.0.1:{other.getsockname()[1]}", 2, 0, "test")
        with pytest.raises(HostsError, match="another program has it"):
            _join._check_port(taken, 0.0)
    with pytest.raises(HostsError, match=r"name nowhere\.invalid was not"):
        _join._check_port(hosts.Place("nowhere.invalid:9", 2, 0, "test"), 0.0)
