package main

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/versity/versitygw/backend/posix"
	"github.com/versity/versitygw/s3err"
	"github.com/versity/versitygw/s3response"
)

// store is versitygw's store on a folder, except that deleting a directory key which is no object succeeds.
type store struct{ *posix.Posix }

func (s *store) DeleteObject(ctx context.Context, input *s3.DeleteObjectInput) (*s3.DeleteObjectOutput, error) {
	output, err := s.Posix.DeleteObject(ctx, input)
	if input.Key != nil && isDirectoryKey(*input.Key) && isNotEmpty(err) {
		// There never was an object of this name, only a folder of the file system with objects below it.
		return &s3.DeleteObjectOutput{}, nil
	}
	return output, err
}

// DeleteObjects of the embedded type calls its own DeleteObject, not the one above.
func (s *store) DeleteObjects(ctx context.Context, input *s3.DeleteObjectsInput) (s3response.DeleteResult, error) {
	result, err := s.Posix.DeleteObjects(ctx, input)
	notEmpty := s3err.GetAPIError(s3err.ErrDirectoryNotEmpty).Code
	result.Error = slices.DeleteFunc(result.Error, func(failed types.Error) bool {
		harmless := failed.Code != nil && *failed.Code == notEmpty && failed.Key != nil && isDirectoryKey(*failed.Key)
		if harmless {
			result.Deleted = append(result.Deleted, types.DeletedObject{Key: failed.Key})
		}
		return harmless
	})
	return result, err
}

func isDirectoryKey(key string) bool { return strings.HasSuffix(key, "/") }

func isNotEmpty(err error) bool {
	return errors.Is(err, s3err.GetAPIError(s3err.ErrDirectoryNotEmpty))
}
