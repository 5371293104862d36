// The S3 server of the lab: versitygw on a folder, with one difference to the stock program. Deleting `dir/` that was never
// put, but has children, succeeds as it does on AWS; the stock program refuses it, and S3A of Hadoop 3.3 (Spark 3.5, Flink's
// plugin) then retries for minutes, since it deletes the markers of all parents after each write.
//
//	versitygw --port 127.0.0.1:7070 --port 10.244.0.1:7070 --iam-dir DIR posix --versioning-dir DIR DATA
//
// It takes the part of the stock command line that the lab uses, so that either program fits. The root credentials come from
// ROOT_ACCESS_KEY_ID and ROOT_SECRET_ACCESS_KEY, or from a file with lines of that form (--credentials-file), never from
// arguments, which every user of the machine can read.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/versity/versitygw/backend/meta"
	"github.com/versity/versitygw/backend/posix"
	"github.com/versity/versitygw/embedgw"
)

// Set by the linker.
var version = "unknown"

type repeated []string

func (r *repeated) String() string         { return strings.Join(*r, ",") }
func (r *repeated) Set(value string) error { *r = append(*r, value); return nil }

type options struct {
	gateway                                 embedgw.Config
	credentialsFile, versioningDir, dataDir string
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "versitygw:", err)
		os.Exit(1)
	}
}

func run() error {
	o, err := parse(os.Args[1:])
	if err != nil || o == nil {
		return err
	}
	if err := o.readCredentials(); err != nil {
		return err
	}
	for _, dir := range []string{o.dataDir, o.versioningDir, o.gateway.IAMDir} {
		if dir == "" {
			continue
		}
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
	}
	if err := (meta.XattrMeta{}).Test(o.dataDir); err != nil {
		return fmt.Errorf("%s must lie on a file system with extended attributes (ext4, xfs, btrfs): %w", o.dataDir, err)
	}
	files, err := posix.New(o.dataDir, meta.XattrMeta{}, posix.PosixOpts{
		VersioningDir: o.versioningDir,
		// S3's own limit, which the stock program takes from its flags: zero refuses every copy, hence every rename of S3A.
		CopyObjectThreshold: 5 << 30,
	})
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	o.gateway.SigHup = hangups()
	return embedgw.RunVersityGW(ctx, &store{files}, &o.gateway)
}

// parse returns nil options when there is nothing to run (--version, --help).
func parse(args []string) (*options, error) {
	o := options{gateway: embedgw.Config{
		Version: version, KeepAlive: true,
		MaxConnections: 4096, MaxRequests: 2048, MultipartMaxParts: 10000,
		// A changed account or key counts from the next request on; the file is small and stays in the page cache.
		IAMCacheDisable: true,
	}}
	var ports repeated
	var printVersion bool
	flags := flag.NewFlagSet("versitygw", flag.ContinueOnError)
	flags.Var(&ports, "port", "listen `address`, such as 127.0.0.1:7070; may be given several times")
	flags.StringVar(&o.credentialsFile, "credentials-file", "", "`file` with ROOT_ACCESS_KEY_ID=… and ROOT_SECRET_ACCESS_KEY=… lines")
	flags.StringVar(&o.gateway.IAMDir, "iam-dir", "", "`folder` of users.json with further accounts; read on each request")
	flags.StringVar(&o.gateway.HealthPath, "health", "/health", "URL `path` that answers 200 without credentials")
	flags.StringVar(&o.gateway.AccessLog, "access-log", "", "absolute path of the access log `file`, reopened on SIGHUP")
	flags.StringVar(&o.gateway.Region, "region", "us-east-1", "region `name` told to clients")
	flags.StringVar(&o.gateway.CertFile, "cert", "", "TLS certificate `file`")
	flags.StringVar(&o.gateway.KeyFile, "key", "", "TLS key `file`")
	flags.BoolVar(&o.gateway.Quiet, "quiet", false, "no line per request on standard output")
	flags.BoolVar(&printVersion, "version", false, "print the version and exit")
	if err := flags.Parse(args); err != nil {
		return nil, ignoreHelp(err)
	}
	if printVersion {
		fmt.Println("versitygw", version)
		return nil, nil
	}
	if flags.Arg(0) != "posix" {
		return nil, errors.New("expected the command `posix DATA-FOLDER` after the flags")
	}
	folder := flag.NewFlagSet("versitygw posix", flag.ContinueOnError)
	folder.StringVar(&o.versioningDir, "versioning-dir", "", "`folder` for old versions of objects; buckets can't be versioned without it")
	if err := folder.Parse(flags.Args()[1:]); err != nil {
		return nil, ignoreHelp(err)
	}
	if folder.NArg() != 1 || len(ports) == 0 {
		return nil, errors.New("expected at least one --port and one data folder")
	}
	o.dataDir, o.gateway.Ports = folder.Arg(0), ports
	// The backend changes into the data folder, so relative paths would mean something else later.
	for _, path := range []string{o.dataDir, o.versioningDir, o.gateway.IAMDir, o.gateway.AccessLog, o.gateway.CertFile, o.gateway.KeyFile} {
		if path != "" && !filepath.IsAbs(path) {
			return nil, fmt.Errorf("%s: paths must be absolute", path)
		}
	}
	return &o, nil
}

func ignoreHelp(err error) error {
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	return err
}

func (o *options) readCredentials() error {
	values := map[string]string{}
	for _, name := range []string{"ROOT_ACCESS_KEY_ID", "ROOT_SECRET_ACCESS_KEY"} {
		values[name] = os.Getenv(name)
		// A helper started later by any library must not inherit it.
		os.Unsetenv(name)
	}
	if o.credentialsFile != "" {
		file, err := os.Open(o.credentialsFile)
		if err != nil {
			return err
		}
		defer file.Close()
		for lines := bufio.NewScanner(file); lines.Scan(); {
			if name, value, found := strings.Cut(strings.TrimSpace(lines.Text()), "="); found {
				values[strings.TrimSpace(name)] = strings.TrimSpace(value)
			}
		}
	}
	o.gateway.RootUserAccess, o.gateway.RootUserSecret = values["ROOT_ACCESS_KEY_ID"], values["ROOT_SECRET_ACCESS_KEY"]
	if o.gateway.RootUserAccess == "" || o.gateway.RootUserSecret == "" {
		return errors.New("no root credentials: set ROOT_ACCESS_KEY_ID and ROOT_SECRET_ACCESS_KEY or give --credentials-file")
	}
	return nil
}

// hangups turns SIGHUP into the gateway's request to reopen its log and reload certificates.
func hangups() <-chan struct{} {
	signals, requests := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(signals, syscall.SIGHUP)
	go func() {
		for range signals {
			requests <- struct{}{}
		}
	}()
	return requests
}
