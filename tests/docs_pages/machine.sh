# Makes of new namespaces a Debian machine: machine.py has called `unshare` with this script.
# BASE is an empty folder. Each further argument is FOLDER=PLACE: what is in FOLDER, to be read there.
set -eu
base=$1; shift
mount -t tmpfs -o mode=0755 machine "$base"
mkdir "$base/changed" "$base/work" "$base/root"
# The files of this machine; what is written goes into memory, and is forgotten.
mount -t overlay -o "lowerdir=/,upperdir=$base/changed,workdir=$base/work" overlay "$base/root"
cd "$base/root"
for one in "$@"; do
  mkdir -p "./${one#*=}"
  mount --bind "${one%%=*}" "./${one#*=}"
  mount -o remount,bind,ro "./${one#*=}"
done
# The kernel is everybody's: its settings can be read, and not written.
mount -t proc proc proc
for one in proc/sys proc/sysrq-trigger; do
  if [ -e "$one" ]; then
    mount --bind "$one" "$one"
    mount -o remount,bind,ro "$one"
  fi
done
mount -t sysfs -o ro sysfs sys
mount -t tmpfs -o mode=0755 cgroup sys/fs/cgroup 2>/dev/null || true
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=0755 run run
mount -t tmpfs -o mode=1777 tmp tmp
mount -t tmpfs -o mode=0755 dev dev
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666,mode=0620 devpts dev/pts
mount -t tmpfs -o mode=1777 shm dev/shm
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
for one in 0:stdin 1:stdout 2:stderr; do ln -s "/proc/self/fd/${one%:*}" "dev/${one#*:}"; done
for one in null zero full random urandom tty; do
  touch "dev/$one"
  mount --bind "/dev/$one" "dev/$one"
done
# Units that are about the hardware or the kernel.
mkdir -p run/systemd/system
for one in systemd-sysctl.service systemd-modules-load.service systemd-remount-fs.service \
  systemd-binfmt.service systemd-tmpfiles-setup-dev.service systemd-update-utmp.service \
  proc-sys-fs-binfmt_misc.automount dev-hugepages.mount dev-mqueue.mount tmp.mount \
  sys-kernel-debug.mount sys-kernel-tracing.mount sys-fs-fuse-connections.mount; do
  ln -s /dev/null "run/systemd/system/$one"
done
# apt-get asks no server: what is installed is the newest.
mount -t tmpfs lists var/lib/apt/lists
mount -t tmpfs sources etc/apt/sources.list.d
: > etc/apt/sources.list
ip link set lo up
exec env -i container=unshare PATH=/usr/sbin:/usr/bin:/sbin:/bin \
  setpriv --bounding-set=-sys_module,-sys_time,-sys_rawio,-mknod,-audit_control,-audit_write \
  chroot . /lib/systemd/systemd --system --unit=basic.target --show-status=no --log-target=journal
