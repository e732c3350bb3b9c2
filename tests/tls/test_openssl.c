/* Against a client that no one here wrote: openssl s_client, over localhost. */
#include "pair.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

TestSuite(openssl, .init = (void (*)(void))tls_library_init, .fini = tls_library_cleanup);

/* One connection's outcome: ours, and all that s_client printed. */
struct outcome {
    enum tls_result handshake;
    size_t expected_size; /* bytes that the script sends */
    enum tls_result last; /* of the reads after it */
    char received[4096];  /* plaintext, with a NUL */
    size_t received_size;
    bool tls13;
    char cipher[64];
    size_t chain_count;
    char printed[64 * 1024];
};

static int send_all(void *owner, struct bytes ciphertext) {
    while (ciphertext.size > 0) {
        ssize_t sent = send(*(int *)owner, ciphertext.data, ciphertext.size, MSG_NOSIGNAL);
        if (sent <= 0) {
            return -EPIPE;
        }
        ciphertext = bytes_of(ciphertext.data + sent, ciphertext.size - (size_t)sent);
    }
    return 0;
}

/* The contexts here have no tickets. */
static const struct tls_session_handler send_all_handler = {.output = send_all};

/* Waits for input at most ten seconds. An empty view: the end. */
static struct bytes receive(int descriptor, uint8_t *buffer, size_t size) {
    struct pollfd wait = {descriptor, POLLIN, 0};
    cr_assert_gt(poll(&wait, 1, 10000), 0, "s_client is silent");
    ssize_t received = recv(descriptor, buffer, size, 0);
    return bytes_of(buffer, received > 0 ? (size_t)received : 0);
}

/* The file that tells the client's script that all is answered; see UNTIL_ANSWERED. */
static char answered[64];

static void say_answered(void) {
    int file = open(answered, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    cr_assert_geq(file, 0);
    close(file);
}

static void serve(int descriptor, struct tls_context *context, struct outcome *outcome) {
    struct tls_session *session = tls_session_create(context, 16384, TLS_HTTP1, &send_all_handler, &descriptor);
    cr_assert(session != NULL);
    outcome->handshake = TLS_WANT_INPUT;
    struct bytes input;
    uint8_t buffer[4096];
    while (outcome->handshake == TLS_WANT_INPUT && (input = receive(descriptor, buffer, sizeof buffer)).size > 0) {
        tls_session_feed(session, input);
        outcome->handshake = tls_session_handshake(session);
        const struct tls_peer_chain *chain = tls_session_peer_chain(session);
        if (chain != NULL) {
            outcome->chain_count = chain->count;
        }
    }
    if (outcome->handshake == TLS_DONE) {
        outcome->tls13 = tls_session_is_tls13(session);
        snprintf(outcome->cipher, sizeof outcome->cipher, "%s", tls_session_cipher(session));
    }
    outcome->last = outcome->handshake;
    while (outcome->last == TLS_DONE || outcome->last == TLS_WANT_INPUT) {
        size_t size = 0;
        outcome->last = tls_session_read(session, outcome->received + outcome->received_size,
                                         sizeof outcome->received - 1 - outcome->received_size, &size);
        outcome->received_size += size;
        if (size > 0) {
            cr_assert_eq(tls_session_write(session, bytes_of_string("answer\n")), TLS_DONE);
        }
        if (size > 0 && outcome->received_size >= outcome->expected_size) {
            say_answered();
        }
        if (outcome->last != TLS_WANT_INPUT) {
            continue;
        }
        input = receive(descriptor, buffer, sizeof buffer);
        if (input.size == 0) {
            break;
        }
        tls_session_feed(session, input);
    }
    tls_session_shutdown(session);
    tls_session_free(session);
    say_answered();
    close(descriptor);
}

static pid_t start_client(const char *script, const char *arguments, unsigned port, int *output) {
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        char command[2048];
        snprintf(command, sizeof command,
                 "cd %s && ANSWERED=%s && (%s) | openssl s_client -connect 127.0.0.1:%u -servername any.example %s",
                 TLS_TEST_DATA, answered, script, port, arguments);
        dup2(ends[1], 1);
        dup2(ends[1], 2);
        close(ends[0]);
        close(ends[1]);
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    *output = ends[0];
    return child;
}

/*
 * Runs s_client with `arguments` in tests/tls/data, the output of the shell's `script` as its input, of which
 * `expected_size` bytes shall arrive.
 */
static struct outcome *run(struct tls_context *context, const char *script, const char *arguments, size_t expected_size) {
    struct outcome *outcome = calloc(1, sizeof *outcome);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    cr_assert_eq(bind(listener, (struct sockaddr *)&address, size), 0);
    cr_assert_eq(listen(listener, 8), 0);
    cr_assert_eq(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    int output = -1;
    snprintf(answered, sizeof answered, "/tmp/sallyport-test-answered-%d-%u", (int)getpid(), ntohs(address.sin_port));
    outcome->expected_size = expected_size;
    pid_t child = start_client(script, arguments, ntohs(address.sin_port), &output);
    struct pollfd wait = {listener, POLLIN, 0};
    cr_assert_gt(poll(&wait, 1, 10000), 0, "s_client does not connect");
    serve(accept4(listener, NULL, NULL, SOCK_CLOEXEC), context, outcome);
    close(listener);
    size_t printed = 0;
    ssize_t got;
    while (printed < sizeof outcome->printed - 1 &&
           (got = read(output, outcome->printed + printed, sizeof outcome->printed - 1 - printed)) > 0) {
        printed += (size_t)got;
    }
    close(output);
    waitpid(child, NULL, 0);
    unlink(answered);
    return outcome;
}

static bool printed(const struct outcome *outcome, const char *text) {
    return strstr(outcome->printed, text) != NULL;
}

/* s_client ends with its input, which has to stay open until the answer is there: the server makes a file when it is. */
#define UNTIL_ANSWERED "i=0; while [ ! -e $ANSWERED ] && [ $i -lt 1000 ]; do sleep 0.02; i=$((i+1)); done; sleep 0.2"
#define HELLO          "echo hello; " UNTIL_ANSWERED

static void completes(struct tls_context *context, const char *arguments, bool tls13, size_t chain_count) {
    struct outcome *outcome = run(context, HELLO, arguments, strlen("hello\n"));
    cr_assert_eq(outcome->handshake, TLS_DONE, "%s: %s", arguments, outcome->printed);
    cr_assert_eq(outcome->tls13, tls13, "%s", arguments);
    cr_assert_eq(outcome->chain_count, chain_count, "%s: %zu", arguments, outcome->chain_count);
    cr_assert_str_eq(outcome->received, "hello\n", "%s", arguments);
    cr_assert(printed(outcome, "answer"), "%s: %s", arguments, outcome->printed);
    cr_assert_eq(outcome->last, TLS_CLOSED, "%s", arguments);
    free(outcome);
}

static void fails(struct tls_context *context, const char *arguments, const char *text) {
    struct outcome *outcome = run(context, HELLO, arguments, strlen("hello\n"));
    cr_assert_eq(outcome->handshake, TLS_FAILED, "%s: %s", arguments, outcome->printed);
    cr_assert(printed(outcome, text), "%s: no '%s' in %s", arguments, text, outcome->printed);
    free(outcome);
}

Test(openssl, every_server_key_with_every_client_key, .timeout = 200) {
    static const char *const servers[] = {"p256", "p384", "rsa2048", "rsa3072", "rsa4096", "ed25519"};
    static const char *const clients[] = {"p256", "p384", "p521", "rsa2048", "rsa8192", "pss2048", "ed25519"};
    for (size_t i = 0; i < sizeof servers / sizeof servers[0]; i++) {
        struct tls_credentials *credentials = server_credentials(servers[i]);
        struct tls_context *context = server_context(credentials, true);
        for (size_t j = 0; j < sizeof clients / sizeof clients[0]; j++) {
            /* All client keys with one server key, one client key with all. */
            if (i != 0 && i != 2 && j != 0) {
                continue;
            }
            static const char *const versions[] = {"-tls1_3", "-tls1_2"};
            char arguments[256];
            for (int tls12 = 0; tls12 < 2; tls12++) {
                snprintf(arguments, sizeof arguments,
                         "%s -cert client-%s.pem -cert_chain intermediate.pem -key client-%s.key", versions[tls12],
                         clients[j], clients[j]);
                completes(context, arguments, !tls12, 2);
            }
        }
        tls_context_free(context);
        tls_credentials_free(credentials);
    }
}

/* For the tests that need no other. */
static struct tls_credentials *p256_credentials;
static struct tls_context *p256;

static void set_up(void) {
    cr_assert_eq(tls_library_init(), 0);
    p256_credentials = server_credentials("p256");
    p256 = server_context(p256_credentials, true);
}

static void tear_down(void) {
    tls_context_free(p256);
    tls_credentials_free(p256_credentials);
    tls_library_cleanup();
}

TestSuite(openssl_p256, .init = set_up, .fini = tear_down);

Test(openssl_p256, a_client_without_certificate_completes) {
    completes(p256, "-tls1_3", true, 0);
    completes(p256, "-tls1_2", false, 0);
}

Test(openssl_p256, with_an_rsa_exponent_of_nine_bytes_there_is_no_arithmetic) {
    completes(p256, "-tls1_2 -cert client-exponent.pem -key client-exponent.key", false, 1);
    completes(p256, "-tls1_3 -cert client-exponent.pem -key client-exponent.key", true, 1);
}

Test(openssl_p256, only_these_versions_and_suites) {
    completes(p256, "-ciphersuites TLS_CHACHA20_POLY1305_SHA256", true, 0);
    completes(p256, "-ciphersuites TLS_AES_256_GCM_SHA384", true, 0);
    completes(p256, "-tls1_2 -cipher ECDHE-ECDSA-AES256-GCM-SHA384", false, 0);
    completes(p256, "-tls1_2 -cipher ECDHE-ECDSA-CHACHA20-POLY1305", false, 0);
    fails(p256, "-tls1_2 -cipher ECDHE-ECDSA-AES128-SHA", "alert");
    fails(p256, "-tls1_2 -cipher ECDHE-ECDSA-AES128-SHA256", "alert");
    fails(p256, "-tls1_2 -cipher ECDHE-ECDSA-AES128-CCM", "alert");
    fails(p256, "-tls1_1 -cipher ALL:@SECLEVEL=0", "alert");
    fails(p256, "-tls1_3 -ciphersuites TLS_AES_128_CCM_SHA256", "alert");
}

Test(openssl_p256, our_preferences_decide) {
    struct outcome *outcome = run(p256, HELLO, "-tls1_3", strlen("hello\n"));
    cr_assert_str_eq(outcome->cipher, "TLS_AES_128_GCM_SHA256");
    cr_assert(printed(outcome, "X25519"), "%s", outcome->printed);
    cr_assert(!printed(outcome, "SHA1"), "%s", outcome->printed);
    free(outcome);
    outcome = run(p256, HELLO, "-tls1_2", strlen("hello\n"));
    cr_assert_str_eq(outcome->cipher, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256");
    cr_assert(printed(outcome, "Server Temp Key: X25519"), "%s", outcome->printed);
    cr_assert(printed(outcome, "Secure Renegotiation IS supported"));
    cr_assert(printed(outcome, "Extended master secret: yes"));
    cr_assert(!printed(outcome, "SHA1"), "%s", outcome->printed);
    free(outcome);
}

Test(openssl, groups_with_and_without_a_second_hello, .timeout = 60) {
    /* With TLS 1.2 the groups would forbid an ECDSA key on a curve that is not among them. */
    struct tls_credentials *credentials = server_credentials("rsa2048");
    struct tls_context *context = server_context(credentials, true);
    static const char *const groups[][2] = {
        {"P-256", "prime256v1"},      {"P-384", "secp384r1"},      {"P-521", "secp521r1"},   {"X25519", "X25519"},
        {"X448:P-256", "prime256v1"}, {"X448:P-384", "secp384r1"}, {"X448:X25519", "X25519"}};
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++) {
        for (int tls12 = 0; tls12 < 2; tls12++) {
            char arguments[128];
            snprintf(arguments, sizeof arguments, "%s -groups %s -cert client-p256.pem -key client-p256.key",
                     tls12 ? "-tls1_2" : "-tls1_3", groups[i][0]);
            struct outcome *outcome = run(context, HELLO, arguments, strlen("hello\n"));
            cr_assert_eq(outcome->handshake, TLS_DONE, "%s: %s", arguments, outcome->printed);
            cr_assert(printed(outcome, groups[i][1]), "%s: %s", arguments, outcome->printed);
            cr_assert_eq(outcome->chain_count, 1);
            free(outcome);
        }
    }
    fails(context, "-tls1_3 -groups X448", "bad key share");
    tls_context_free(context);
    tls_credentials_free(credentials);
}

Test(openssl_p256, a_second_hello_with_every_suite_and_client_key, .timeout = 60) {
    static const char *const suites[] = {"AES_128_GCM_SHA256", "AES_256_GCM_SHA384", "CHACHA20_POLY1305_SHA256"};
    static const char *const clients[] = {"p256", "p384", "rsa2048", "ed25519"};
    for (size_t i = 0; i < 12; i++) {
        char arguments[256];
        snprintf(arguments, sizeof arguments,
                 "-tls1_3 -groups X448:P-384 -ciphersuites TLS_%s -cert client-%s.pem -key client-%s.key", suites[i % 3],
                 clients[i / 3], clients[i / 3]);
        completes(p256, arguments, true, 1);
    }
}

Test(openssl_p256, alpn) {
    struct outcome *outcome = run(p256, HELLO, "-alpn h2,http/1.1", strlen("hello\n"));
    cr_assert(printed(outcome, "ALPN protocol: http/1.1"), "%s", outcome->printed);
    free(outcome);
    fails(p256, "-alpn h2", "no application protocol");
    fails(p256, "-tls1_2 -alpn h2", "no application protocol");
}

Test(openssl_p256, nothing_is_given_that_could_be_resumed) {
    struct outcome *outcome = run(p256, HELLO, "-tls1_3", strlen("hello\n"));
    cr_assert(printed(outcome, "answer"), "%s", outcome->printed);
    cr_assert(!printed(outcome, "New Session Ticket"), "%s", outcome->printed);
    free(outcome);
    outcome = run(p256, HELLO, "-tls1_2", strlen("hello\n"));
    cr_assert(printed(outcome, "answer"), "%s", outcome->printed);
    cr_assert(printed(outcome, "Session-ID: \n"), "%s", outcome->printed);
    cr_assert(!printed(outcome, "TLS session ticket"), "%s", outcome->printed);
    free(outcome);
}

Test(openssl_p256, a_renegotiation_ends_the_connection) {
    struct outcome *outcome = run(p256, "sleep 0.5; echo hello; sleep 0.5; echo R; sleep 0.3", "-tls1_2", 0);
    cr_assert_eq(outcome->handshake, TLS_DONE);
    cr_assert_str_eq(outcome->received, "hello\n");
    cr_assert_eq(outcome->last, TLS_FAILED);
    cr_assert(printed(outcome, "alert unexpected message"), "%s", outcome->printed);
    free(outcome);
}

Test(openssl_p256, key_updates_are_followed) {
    struct outcome *outcome =
        run(p256, "sleep 0.5; echo K; sleep 0.5; echo one; sleep 0.5; echo k; sleep 0.5; echo two; " UNTIL_ANSWERED,
            "-tls1_3", strlen("one\ntwo\n"));
    cr_assert_eq(outcome->handshake, TLS_DONE);
    cr_assert_str_eq(outcome->received, "one\ntwo\n");
    cr_assert_eq(outcome->last, TLS_CLOSED);
    cr_assert(printed(outcome, "KEYUPDATE"));
    free(outcome);
}

Test(openssl_p256, the_names_of_the_cas_are_sent) {
    /* The DER Names of data/root.pem and data/intermediate.pem, as make writes them. */
    static const uint8_t root[] = "\x30\x28\x31\x17\x30\x15\x06\x03\x55\x04\x0a\x0c\x0eSallyport Test"
                                  "\x31\x0d\x30\x0b\x06\x03\x55\x04\x03\x0c\x04root";
    static const uint8_t other[] = "\x30\x0f\x31\x0d\x30\x0b\x06\x03\x55\x04\x0a\x0c\x04More";
    struct bytes names[] = {bytes_of(root, sizeof root - 1), bytes_of(other, sizeof other - 1)};
    struct tls_context_options options = {
        .credentials = p256_credentials, .request_certificate = true, .ca_names = names, .ca_names_count = 2};
    struct error error;
    struct tls_context *naming = tls_context_create(&options, &error);
    cr_assert(naming != NULL, "%s", error.text);
    static const char *const versions[] = {"-tls1_3", "-tls1_2"};
    for (size_t i = 0; i < 2; i++) {
        char arguments[128];
        snprintf(arguments, sizeof arguments, "%s -cert client-p256.pem -key client-p256.key", versions[i]);
        struct outcome *outcome = run(naming, HELLO, arguments, strlen("hello\n"));
        cr_assert_eq(outcome->handshake, TLS_DONE, "%s", outcome->printed);
        cr_assert_eq(outcome->chain_count, 1);
        cr_assert(printed(outcome, "Acceptable client certificate CA names\nO = Sallyport Test, CN = root\nO = More\n"),
                  "%s", outcome->printed);
        free(outcome);
        outcome = run(p256, HELLO, arguments, strlen("hello\n"));
        cr_assert(printed(outcome, "No client certificate CA names sent"), "%s", outcome->printed);
        free(outcome);
    }
    tls_context_free(naming);
}
