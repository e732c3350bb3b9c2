#include "command/notify.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int manager(const char *name, size_t name_size) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, name, name_size);
    int receiver = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + name_size);
    cr_assert_eq(bind(receiver, (struct sockaddr *)&address, size), 0);
    return receiver;
}

static void expect(int receiver, const char *state) {
    char buffer[64] = "";
    cr_assert_eq(recv(receiver, buffer, sizeof buffer - 1, MSG_DONTWAIT), (ssize_t)strlen(state));
    cr_assert_str_eq(buffer, state);
}

Test(notify, without_a_manager_nothing_happens) {
    unsetenv("NOTIFY_SOCKET");
    cr_assert_eq(notify_send("READY=1"), 0);
}

Test(notify, the_state_reaches_a_socket_in_the_file_system) {
    char folder[] = "/tmp/test-notify.XXXXXX";
    cr_assert_not_null(mkdtemp(folder));
    char path[64];
    snprintf(path, sizeof path, "%s/socket", folder);
    int receiver = manager(path, strlen(path));
    setenv("NOTIFY_SOCKET", path, 1);
    cr_assert_eq(notify_send("READY=1"), 0);
    expect(receiver, "READY=1");
    close(receiver);
    unlink(path);
    cr_assert_eq(notify_send("READY=1"), -ENOENT);
    rmdir(folder);
}

Test(notify, the_state_reaches_an_abstract_socket) {
    char name[64] = "";
    snprintf(name + 1, sizeof name - 1, "test-notify-%d", (int)getpid());
    int receiver = manager(name, 1 + strlen(name + 1));
    char variable[64];
    snprintf(variable, sizeof variable, "@%s", name + 1);
    setenv("NOTIFY_SOCKET", variable, 1);
    cr_assert_eq(notify_send("STOPPING=1"), 0);
    expect(receiver, "STOPPING=1");
    close(receiver);
}

Test(notify, names_that_no_manager_gives_are_refused) {
    char longest[sizeof(((struct sockaddr_un *)0)->sun_path) + 1];
    memset(longest, 'a', sizeof longest - 1);
    longest[0] = '/';
    longest[sizeof longest - 1] = '\0';
    const char *const names[] = {"", "/", "@", "relative", "vsock:2:1234", longest};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        setenv("NOTIFY_SOCKET", names[i], 1);
        cr_assert_eq(notify_send("READY=1"), -EINVAL, "%s", names[i]);
    }
}
